using System.Collections.Concurrent;
using Governor.Domain.Transparency;
using Governor.Witness.Keys;
using Governor.Witness.Memory;
using Microsoft.Extensions.Logging;

namespace Governor.Witness;

/// <summary>How a request came here.</summary>
public enum Channel
{
    /// <summary>Over HTTP: from anybody who has ever read one of the log's checkpoints.</summary>
    Http,

    /// <summary>Through the cluster: from the log, because RBAC lets nobody else write there.</summary>
    Mailbox,
}

/// <param name="Memory">What is remembered after it; durable when the answer is <see cref="WitnessAnswer.Accepted"/>.</param>
/// <param name="Cosignature">The signature line; null when nothing was signed.</param>
public sealed record NotaryVerdict(WitnessAnswer Answer, WitnessMemory Memory, NoteSignature? Cosignature);

/// <summary>
/// Judges checkpoints one after the other for each log: compares with what is remembered, remembers, and only then hands out its
/// cosignature. What it has accepted it also knows by heart, for as long as it lives: a store that forgets is put right.
/// </summary>
public sealed partial class Notary(IWitnessStore store, WitnessKey key, IReadOnlyList<VerifierKey> logs, TimeProvider clock, ILogger<Notary> logger)
{
    private const int Tries = 16;

    private readonly ConcurrentDictionary<string, Desk> _desks = new();

    /// <exception cref="WitnessMemoryException">What is remembered cannot be believed.</exception>
    /// <exception cref="IOException">It cannot be remembered; nothing was signed.</exception>
    public async Task<NotaryVerdict> JudgeAsync(WitnessRequest request, Channel channel, CancellationToken cancellation)
    {
        // Whoever is not a log that we watch does not get as far as our memory.
        var first = Domain.Transparency.Witness.Judge(logs, null, request);
        if (first is WitnessAnswer.UnknownLog or WitnessAnswer.NotSigned)
            return new NotaryVerdict(first, WitnessMemory.Nothing, null);

        var desk = _desks.GetOrAdd(request.Checkpoint.Origin, origin => new Desk(origin));
        await desk.Turn.WaitAsync(cancellation);
        try
        {
            for (var attempt = 0; attempt < Tries; attempt++)
                if (await TryJudgeAsync(desk, request, channel) is { } verdict)
                    return verdict;
        }
        finally
        {
            desk.Turn.Release();
        }
        throw new IOException($"the memory of the log '{desk.Origin}' was changed by others {Tries} times in a row: is there another witness with the same memory?");
    }

    /// <summary>What is remembered of a log.</summary>
    /// <exception cref="WitnessMemoryException">It cannot be believed.</exception>
    public async Task<WitnessMemory> RecallAsync(string origin, CancellationToken cancellation) =>
        Believed(origin, (await store.LoadAsync(origin, cancellation)).Memory);

    // Not cancelled: whether something was written must not depend on whether somebody still waits for it.
    private async Task<NotaryVerdict?> TryJudgeAsync(Desk desk, WitnessRequest request, Channel channel)
    {
        var before = await store.LoadAsync(desk.Origin, CancellationToken.None);
        var memory = Recover(desk, Believed(desk.Origin, before.Memory));
        var answer = Domain.Transparency.Witness.Judge(logs, memory.Seen, request);
        var next = answer is WitnessAnswer.Accepted ? Accept(memory, request) : Refuse(memory, answer, request, channel);
        if (next != before.Memory && !await store.TrySaveAsync(desk.Origin, before, next, CancellationToken.None))
            return null;
        desk.Memory = next;
        Tell(memory, next, answer, request, channel);
        return new NotaryVerdict(answer, next, answer is WitnessAnswer.Accepted ? next.Accepted!.Signatures[^1] : null);
    }

    private WitnessMemory Accept(WitnessMemory memory, WitnessRequest request)
    {
        // Only signatures that were verified are kept: a note may carry as many others as it likes.
        var signed = request.Note.Signatures.Where(s => logs.Any(k => k.Id == s.KeyId && k.Name == s.Name && request.Note.Verify(k) == NoteVerdict.Good));
        var text = $"{request.Note.Text}\n{string.Concat(signed)}{key.Cosign(request.Note.Text, clock.GetUtcNow())}";
        if (!SignedNote.TryParse(text, out var note))
            throw new InvalidOperationException("a note that was read cannot be written");
        // A log that goes on from what it had shown has nothing to answer for because it had shown less for a while.
        return new WitnessMemory(note, memory.Alarm is { Kind: WitnessAlarmKind.RolledBack } ? null : memory.Alarm);
    }

    private WitnessMemory Refuse(WitnessMemory memory, WitnessAnswer answer, WitnessRequest request, Channel channel)
    {
        if (WitnessAlarm.KindOf(answer, memory.Seen, request.Checkpoint) is not { } kind)
            return memory;
        // Old checkpoints, and proofs that prove nothing, can be sent by anybody over HTTP; two roots for one size only the log can sign.
        if (channel == Channel.Http && kind != WitnessAlarmKind.Forked)
            return memory;
        if (memory.Alarm is { } raised && raised.Kind >= kind)
            return memory;
        return memory with { Alarm = new WitnessAlarm(kind, clock.GetUtcNow(), memory.Accepted?.ToString() ?? "", request.Note.ToString()) };
    }

    // Our own signature on it says that we wrote it. That it is the last that we wrote, nothing in a store can say.
    private WitnessMemory Believed(string origin, WitnessMemory memory)
    {
        if (memory.Accepted is { } accepted && (accepted.Verify(key.Key) != NoteVerdict.Good || memory.Seen!.Origin != origin))
        {
            var fault = $"what is remembered of the log '{origin}' was not cosigned by {key.Key}: it was changed by somebody else, or the witness' key was. "
                + "Nothing is accepted until a human has put back the note or the key, or has taken the note away";
            LogUnbelievable(fault);
            throw new WitnessMemoryException(fault);
        }
        return memory;
    }

    private WitnessMemory Recover(Desk desk, WitnessMemory loaded)
    {
        if (desk.Memory?.Seen is not { } known || loaded.Seen is { } seen && (seen.Size > known.Size || seen == known))
            return loaded;
        LogForgotten(desk.Origin, known.Size, loaded.Seen?.Size ?? 0);
        return desk.Memory with { Alarm = loaded.Alarm ?? desk.Memory.Alarm };
    }

    private void Tell(WitnessMemory before, WitnessMemory after, WitnessAnswer answer, WitnessRequest request, Channel channel)
    {
        var origin = request.Checkpoint.Origin;
        if (answer is WitnessAnswer.Accepted)
            LogAccepted(origin, request.Checkpoint.Size);
        if (before.Alarm is not null && after.Alarm is null)
            LogOver(origin, before.Alarm.Kind, before.Alarm.Shown);
        if (after.Alarm is { } alarm && alarm != before.Alarm)
            LogAlarm(origin, alarm.Kind, alarm.Seen, alarm.Shown);
        else if (WitnessAlarm.KindOf(answer, before.Seen, request.Checkpoint) is { } kind)
            LogSuspicion(origin, kind, channel, request.Note.ToString());
    }

    [LoggerMessage(LogLevel.Debug, "Accepted and cosigned the log '{Origin}' at {Size} leaves")]
    private partial void LogAccepted(string origin, long size);

    [LoggerMessage(LogLevel.Critical, "The log '{Origin}' has to answer for this: {Kind}. It was refused and is kept; the note that had been accepted:\n{Seen}\nand the note that was shown:\n{Shown}")]
    private partial void LogAlarm(string origin, WitnessAlarmKind kind, string seen, string shown);

    [LoggerMessage(LogLevel.Warning, "The log '{Origin}' goes on from what had been accepted; the alarm {Kind} is over. It had shown:\n{Shown}")]
    private partial void LogOver(string origin, WitnessAlarmKind kind, string shown);

    [LoggerMessage(LogLevel.Warning, "Refused for the log '{Origin}': {Kind}, which came over {Channel}. Shown was:\n{Shown}")]
    private partial void LogSuspicion(string origin, WitnessAlarmKind kind, Channel channel, string shown);

    [LoggerMessage(LogLevel.Critical, "The memory of the log '{Origin}' has gone back from {Known} to {Found} leaves: somebody changed it. It is put right from this process' own memory")]
    private partial void LogForgotten(string origin, long known, long found);

    [LoggerMessage(LogLevel.Critical, "{Fault}")]
    private partial void LogUnbelievable(string fault);

    /// <summary>One log: one request at a time, and what this process knows by heart.</summary>
    private sealed class Desk(string origin)
    {
        public string Origin { get; } = origin;

        public SemaphoreSlim Turn { get; } = new(1);

        public WitnessMemory? Memory { get; set; }
    }
}
