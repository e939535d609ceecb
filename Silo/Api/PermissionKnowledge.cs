using System.Collections.Concurrent;
using System.Text.Json;
using Governor.Domain.Facts;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Api;

/// <summary>The permissions of one cluster as they are committed.</summary>
/// <param name="Version">Of the commit.</param>
/// <param name="ConfirmedAt">The journal had nothing newer at this moment.</param>
/// <param name="Stamp">The same moment, on a clock that is never set.</param>
internal sealed record KnownPermissions(PermissionState State, long Version, DateTimeOffset CommittedAt, DateTimeOffset ConfirmedAt, long Stamp);

/// <summary>
/// The committed permissions of the clusters that are asked about, decoded once per version. Nothing is answered from it that the
/// journal has not confirmed within <see cref="Tolerance"/>: whoever asks after that waits until its version has been compared, once for
/// all who wait. So every silo answers from committed state, wherever the actor lives, and without reading it for every question.
/// </summary>
internal sealed class PermissionKnowledge(IJournal journal, TimeProvider clock)
{
    public static readonly TimeSpan Tolerance = TimeSpan.FromMilliseconds(250);

    /// <summary>Of states as they are stored; what was asked about the longest ago is forgotten first.</summary>
    private const long MostBytes = 128 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Place> _places = new(StringComparer.Ordinal);
    private readonly Lock _lock = new();
    private long _bytes;

    /// <returns>Null when nothing is committed for the cluster.</returns>
    /// <exception cref="JournalUnavailableException">The journal cannot confirm it.</exception>
    public ValueTask<KnownPermissions?> FindAsync(string cluster, CancellationToken cancellation)
    {
        var now = clock.GetTimestamp();
        if (_places.TryGetValue(cluster, out var place) && place.Known is { } known && clock.GetElapsedTime(known.Stamp, now) is var age && age <= Tolerance)
        {
            place.AskedStamp = now;
            // In time, so that while it is asked about steadily nobody waits.
            if (age > Tolerance / 2 && place.Confirming is not { IsCompleted: false })
                _ = Confirming(cluster, now);
            return ValueTask.FromResult<KnownPermissions?>(known);
        }
        return new ValueTask<KnownPermissions?>(Confirming(cluster, now).WaitAsync(cancellation));
    }

    private Task<KnownPermissions?> Confirming(string cluster, long now)
    {
        lock (_lock)
        {
            var place = _places.GetOrAdd(cluster, static _ => new Place());
            place.AskedStamp = now;
            // It began before this question, and says of what moment its answer is.
            if (place.Confirming is { IsCompleted: false } underWay)
                return underWay;
            place.Confirming = Task.Run(() => ConfirmAsync(cluster, place));
            // Perhaps nobody waits for it: then whoever asks next finds out.
            _ = place.Confirming.ContinueWith(
                static failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return place.Confirming;
        }
    }

    private async Task<KnownPermissions?> ConfirmAsync(string cluster, Place place)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        var (stamp, at, grain) = (clock.GetTimestamp(), clock.GetUtcNow(), new GrainKey(Subjects.Permission, cluster));
        try
        {
            if (place.Known is { } before && await journal.VersionAsync(grain, patience.Token) == before.Version)
                return Keep(cluster, place, before with { ConfirmedAt = at, Stamp = stamp }, place.Bytes);
            var stored = await journal.LoadAsync(grain, patience.Token);
            return stored is null
                ? Keep(cluster, place, null, 0)
                : Keep(
                    cluster, place,
                    new KnownPermissions(JsonSerializer.Deserialize<PermissionState>(stored.State.Span, StateJson.Options)!, stored.Version, stored.CommittedAt, at, stamp),
                    stored.State.Length);
        }
        catch (Exception e)
        {
            // What is known stays, unconfirmed; a place where nothing is known is not kept.
            if (place.Known is null)
                Keep(cluster, place, null, 0);
            if (e is OperationCanceledException)
                throw new JournalUnavailableException($"permissions of {cluster}: no answer within {Patience.TotalSeconds} s", e);
            throw;
        }
    }

    private KnownPermissions? Keep(string cluster, Place place, KnownPermissions? known, long bytes)
    {
        lock (_lock)
        {
            if (_places.GetValueOrDefault(cluster) != place)
                return known; // forgotten meanwhile
            Change(cluster, place, known, bytes);
            while (_bytes > MostBytes)
            {
                var others = _places.Where(other => other.Value != place && other.Value.Known is not null).ToArray();
                if (others.Length == 0)
                    break;
                var oldest = others.MinBy(other => other.Value.AskedStamp);
                Change(oldest.Key, oldest.Value, null, 0);
            }
            return known;
        }
    }

    private void Change(string cluster, Place place, KnownPermissions? known, long bytes)
    {
        _bytes += bytes - place.Bytes;
        (place.Known, place.Bytes) = (known, bytes);
        if (known is null)
            _places.TryRemove(cluster, out _);
    }

    private sealed class Place
    {
        private volatile KnownPermissions? _known;

        public KnownPermissions? Known { get => _known; set => _known = value; }

        public long AskedStamp { get; set; }

        public long Bytes { get; set; }

        public Task<KnownPermissions?>? Confirming { get; set; }
    }
}
