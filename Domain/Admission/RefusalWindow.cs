using System.Collections.Immutable;

namespace Governor.Domain.Admission;

/// <summary>
/// How often a refusal is worth an event. The first of its kind always is; its repetitions within a window are counted, and the count is
/// one event more. Whoever asks the same for ever costs two events a window; whoever asks for many different things, no more than
/// <see cref="MostOfOneUser"/> and one; all together no more than <see cref="MostInAll"/> and one.
/// </summary>
public sealed class RefusalWindow(TimeSpan length)
{
    /// <summary>Different refusals of one user and rule that are told apart in a window.</summary>
    public const int MostOfOneUser = 20;

    /// <summary>Different refusals that are told apart in a window.</summary>
    public const int MostInAll = 500;

    private readonly Dictionary<string, Refusal> _counted = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _ofUser = new(StringComparer.Ordinal);
    private DateTimeOffset _until = DateTimeOffset.MinValue;

    /// <summary>What has to be recorded now, because of this refusal or because a window is over.</summary>
    public ImmutableArray<Refusal> Add(Refusal refusal)
    {
        var due = Flush(refusal.At);
        if (_until == DateTimeOffset.MinValue)
            _until = refusal.At + length;
        var key = KeyOf(refusal);
        if (_counted.TryGetValue(key, out var known))
        {
            _counted[key] = refusal with { Count = known.Count + 1 };
            return due;
        }
        _counted[key] = refusal with { Count = 0 };
        return due.Add(refusal);
    }

    /// <summary>The counts of a window that is over.</summary>
    public ImmutableArray<Refusal> Flush(DateTimeOffset now)
    {
        if (now < _until || _until == DateTimeOffset.MinValue)
            return [];
        ImmutableArray<Refusal> due = [.. _counted.Values.Where(refusal => refusal.Count > 0).OrderBy(refusal => refusal.At)];
        _counted.Clear();
        _ofUser.Clear();
        _until = DateTimeOffset.MinValue;
        return due;
    }

    /// <summary>When <see cref="Flush"/> has something to say; null while nothing is counted.</summary>
    public DateTimeOffset? Until => _until == DateTimeOffset.MinValue ? null : _until;

    private string KeyOf(Refusal refusal)
    {
        var user = $"{refusal.By.Name}\n{refusal.Rule}\n{refusal.WasDenied}";
        var one = $"{user}\n{refusal.Kind}\n{refusal.Object}\n{refusal.Wanted}";
        if (_counted.ContainsKey(one))
            return one;
        var told = _ofUser.GetValueOrDefault(user);
        if (told >= MostOfOneUser)
            return _counted.Count < MostInAll || _counted.ContainsKey(user) ? user : "";
        if (_counted.Count >= MostInAll)
            return "";
        _ofUser[user] = told + 1;
        return one;
    }
}
