using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using Governor.Cli.Silo;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Cli.Audit;

/// <summary>An event that is in the log for certain: under a signed root, behind everything seen before.</summary>
public sealed record MonitoredEvent(long Leaf, GovernanceEvent Event);

/// <summary>The log is not the one that was seen before, or not append-only.</summary>
public sealed class TamperedLogException(string message) : Exception(message);

/// <summary>
/// Follows a log with a tree of its own: hashes every record as it comes, and demands that the result is the root that the log signed.
/// A record that was altered, a history that was rewritten or rolled back behind the place that it remembers, cannot give it.
/// </summary>
internal sealed class LogMonitor
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly HttpClient _silo;
    private readonly string? _file;
    private MonitorState _state;

    private LogMonitor(HttpClient silo, MonitorState state, string? file)
    {
        _silo = silo;
        _state = state;
        _file = file;
    }

    public long Size => _state.Tree.Size;

    public TreeHash Root => _state.Tree.Root;

    /// <param name="trust">The log's key, which is valid at the place where the monitor begins.</param>
    /// <param name="file">Where the place is remembered; the monitor begins at the newest checkpoint when there is none.</param>
    /// <exception cref="TamperedLogException">The newest checkpoint is not signed, or not the root of the tiles.</exception>
    public static async Task<LogMonitor> OpenAsync(HttpClient silo, AuditTrust trust, string? file, CancellationToken cancellation)
    {
        if (file is not null && File.Exists(file))
            return new LogMonitor(silo, MonitorState.Read(file, trust), file);
        using var answer = await silo.AskAsync("/log/checkpoint", cancellation);
        var (note, checkpoint) = Parse(await answer.Content.ReadAsStringAsync(cancellation));
        var keys = LogKeyring.Of(new VerifierKey(trust.Origin ?? checkpoint.Origin, trust.PublicKey.AsSpan()));
        Demand(keys, note, checkpoint);
        var tree = await TileProofs.FrontierAsync(checkpoint.Size, tiles => ReadAsync(silo, tiles, cancellation));
        if (tree.Root != checkpoint.Root)
            throw new TamperedLogException($"the tiles of {checkpoint.Size} leaves hash to {tree.Root}, the signed root is {checkpoint.Root}");
        var monitor = new LogMonitor(silo, new MonitorState(keys, [], tree), file);
        monitor.Remember();
        return monitor;
    }

    /// <summary>Every event from here on, once the checkpoint that covers it has been verified. Goes on after interruptions.</summary>
    /// <param name="once">End at the newest checkpoint.</param>
    /// <exception cref="TamperedLogException">A step was not append-only.</exception>
    public async IAsyncEnumerable<MonitoredEvent> FollowAsync(bool once, [EnumeratorCancellation] CancellationToken cancellation)
    {
        for (var pause = FirstPause; ; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            await using var notes = NotesAsync(once, cancellation).GetAsyncEnumerator(cancellation);
            while (await NextAsync(notes) is { } note)
            {
                pause = FirstPause;
                foreach (var seen in await AdvanceAsync(note, cancellation))
                    yield return seen;
            }
            if (once)
                yield break;
            await Task.Delay(pause, cancellation);
        }
    }

    // A connection that breaks is an interruption, not a finding; the next one goes on from the same place.
    private static async Task<string?> NextAsync(IAsyncEnumerator<string> notes)
    {
        try
        {
            return await notes.MoveNextAsync() ? notes.Current : null;
        }
        catch (Exception e) when (e is IOException or HttpRequestException or SiloException)
        {
            return null;
        }
    }

    private async IAsyncEnumerable<string> NotesAsync(bool once, [EnumeratorCancellation] CancellationToken cancellation)
    {
        // Not /log/checkpoint, which may be served from a memory: a tree that is a second old looks like one that was rolled back.
        using var answer = await _silo.AskAsync("/api/v1/audit/watch", cancellation);
        await using var content = await answer.Content.ReadAsStreamAsync(cancellation);
        await foreach (var item in SseParser.Create(content).EnumerateAsync(cancellation))
        {
            yield return item.Data.EndsWith('\n') ? item.Data : item.Data + "\n";
            if (once)
                yield break;
        }
    }

    private async Task<List<MonitoredEvent>> AdvanceAsync(string text, CancellationToken cancellation)
    {
        var (note, checkpoint) = Parse(text);
        var seen = new List<MonitoredEvent>();
        if (checkpoint.Size < Size)
            throw new TamperedLogException($"{Size} leaves were seen before, the log now shows {checkpoint.Size}: it was rolled back");
        var next = _state.Copy();
        if (checkpoint.Size > Size)
            await AppendAsync(next, checkpoint.Size, seen, cancellation);
        Demand(next.Keys, note, checkpoint);
        if (next.Tree.Root != checkpoint.Root)
            throw new TamperedLogException($"the leaves up to {checkpoint.Size} hash to {next.Tree.Root}, the signed root is {checkpoint.Root}: history was rewritten, or this is another log");
        _state = next;
        Remember();
        return seen;
    }

    private async Task AppendAsync(MonitorState next, long size, List<MonitoredEvent> seen, CancellationToken cancellation)
    {
        using var answer = await _silo.AskAsync($"/api/v1/audit/export?from={next.Tree.Size}", cancellation);
        await using var content = await answer.Content.ReadAsStreamAsync(cancellation);
        try
        {
            foreach (var leaf in AuditExportReader.Read(content))
            {
                if (leaf.Index == size)
                    break;
                if (leaf.Index != next.Tree.Size)
                    throw new TamperedLogException($"expected leaf {next.Tree.Size}, found leaf {leaf.Index}");
                seen.Add(next.Append(leaf));
            }
        }
        catch (InvalidDataException e)
        {
            throw new TamperedLogException($"behind leaf {next.Tree.Size}: {e.Message}");
        }
        if (next.Tree.Size != size)
            throw new TamperedLogException($"a tree of {size} leaves was signed, the log shows {next.Tree.Size}");
    }

    private void Remember()
    {
        if (_file is not null)
            _state.Write(_file);
    }

    private static void Demand(LogKeyring keys, SignedNote note, Checkpoint checkpoint)
    {
        if (!keys.At(checkpoint.Size).Any(key => key.Name == checkpoint.Origin && note.Verify(key) == NoteVerdict.Good))
            throw new TamperedLogException($"the checkpoint of {checkpoint.Size} leaves of '{checkpoint.Origin}' is not signed by {string.Join(" or ", keys.At(checkpoint.Size))}");
    }

    private static (SignedNote Note, Checkpoint Checkpoint) Parse(string text) =>
        SignedNote.TryParse(text, out var note) && Checkpoint.TryParse(note.Text, out var checkpoint)
            ? (note, checkpoint)
            : throw new TamperedLogException("expected a signed checkpoint (C2SP tlog-checkpoint), found something else");

    private static async Task<IReadOnlyDictionary<Tile, ReadOnlyMemory<byte>>> ReadAsync(
        HttpClient silo, IReadOnlyCollection<Tile> tiles, CancellationToken cancellation)
    {
        var read = new Dictionary<Tile, ReadOnlyMemory<byte>>();
        foreach (var tile in tiles)
        {
            using var answer = await silo.AskAsync($"/log/tile/{tile}", cancellation);
            read[tile] = await answer.Content.ReadAsByteArrayAsync(cancellation);
        }
        return read;
    }
}
