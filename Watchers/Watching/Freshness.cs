using System.Globalization;

namespace Governor.Watchers.Watching;

/// <summary>What a list is worth, by its resource version.</summary>
internal enum ListAge
{
    /// <summary>As new as anything that was seen before, or newer.</summary>
    Fresh,

    /// <summary>Older than what was seen: the server that answers lags behind. Nothing may be concluded from it.</summary>
    Stale,

    /// <summary>Older than what was seen, and it stays so: the cluster went back, and what it shows now is the truth.</summary>
    Restored,
}

/// <summary>
/// Remembers the newest state that a stream has seen, and tells a server that lags from a cluster that was restored. Both show a
/// state that is older than one that was seen. The one catches up by itself within seconds, and what it shows meanwhile is wrong;
/// the other never does, and what it shows is all there is. What sets them apart is time, so that is waited for.
/// </summary>
/// <remarks>
/// Resource versions of one kind are compared as numbers, which API servers promise since KEP-5504 and have always done. A version
/// that is no number is never held to be old.
/// </remarks>
internal sealed class Freshness(TimeSpan patience, TimeProvider time)
{
    private ulong _newest;
    private long? _staleSince;

    public ulong Newest => _newest;

    /// <summary>A version as a number; 0 where it is none.</summary>
    public static ulong Number(string resourceVersion) =>
        ulong.TryParse(resourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    public void Saw(string resourceVersion) => _newest = Math.Max(_newest, Number(resourceVersion));

    /// <summary>Judges a list before anything of it is used. What is restored, or fresh, is the newest from now on.</summary>
    public ListAge Judge(string resourceVersion)
    {
        var shown = Number(resourceVersion);
        if (shown == 0 || shown >= _newest)
        {
            _staleSince = null;
            _newest = Math.Max(_newest, shown);
            return ListAge.Fresh;
        }
        _staleSince ??= time.GetTimestamp();
        if (time.GetElapsedTime(_staleSince.Value) < patience)
            return ListAge.Stale;
        _staleSince = null;
        _newest = shown;
        return ListAge.Restored;
    }
}
