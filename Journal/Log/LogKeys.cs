using System.Text.Json;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Journal.Log;

/// <summary>Who orders a change of the log's keys, and why.</summary>
/// <param name="Actor">The principal.</param>
/// <param name="Role">The principal's role at this moment.</param>
/// <param name="Reviewer">The second principal who approved it, where there was one.</param>
public sealed record LogKeyOrder(string Actor, string Role, string Rationale, string? Reviewer = null);

/// <summary>
/// Changes the keys of the log. A change is an event of the log itself, signed by the keys that must: it is in force for every tree
/// that contains it. Whether somebody may order it is for the caller to ask.
/// </summary>
public sealed class LogKeys(IJournal journal, JournalDatabase database, ILogSigner signer, LogGenesis genesis, TimeProvider clock)
{
    private GrainKey Grain => new("log", signer.First.Name);

    /// <summary>The keys with every change that is committed, also where the newest checkpoint does not contain it yet.</summary>
    /// <exception cref="InvalidOperationException">The log has no checkpoint yet, or an event in it changes keys that may not.</exception>
    public Task<LogKeyring> ReadAsync(CancellationToken cancellation) =>
        database.ReadAsync("read the log's keys", async (connection, token) =>
        {
            if (await LogTables.GenesisAsync(connection, token) is null)
                throw new InvalidOperationException("the log has no first key before its first checkpoint; wait until a sequencer has signed it");
            try
            {
                return await KeyStatements.ReadAsync(connection, await genesis.ReadAsync(connection, token), null, token);
            }
            catch (LogContradictionException e)
            {
                throw new InvalidOperationException(e.Message, e);
            }
        }, cancellation);

    /// <summary>
    /// Makes a key that takes the place of the newest one that is held here. The old one signs what is before the change, so that it
    /// has to stay until a checkpoint contains it; every silo that shall lead needs the file of the new one.
    /// </summary>
    /// <exception cref="InvalidOperationException">No valid key is held here, or somebody else changed the keys meanwhile.</exception>
    /// <exception cref="JournalUnavailableException">The database does not answer; nothing was changed.</exception>
    /// <exception cref="CommitInDoubtException">It is not known whether the keys were changed; read them.</exception>
    public Task<VerifierKey> RotateAsync(LogKeyOrder order, CancellationToken cancellation) => MakeAsync(LogKeyChange.Rotate, order, cancellation);

    /// <summary>Makes a further key. It is the newest, so that it signs wherever it is held.</summary>
    /// <inheritdoc cref="RotateAsync"/>
    public Task<VerifierKey> AddAsync(LogKeyOrder order, CancellationToken cancellation) => MakeAsync(LogKeyChange.Add, order, cancellation);

    /// <summary>Ends a key without another in its place; a further valid key, held here, signs for it.</summary>
    /// <inheritdoc cref="RotateAsync"/>
    public async Task RevokeAsync(VerifierKey key, LogKeyOrder order, CancellationToken cancellation)
    {
        var (keys, version) = await StandAsync(cancellation);
        if (!keys.Current.Contains(key))
            throw new InvalidOperationException($"{key} is not a valid key of this log; valid are {string.Join(", ", keys.Current)}");
        await CommitAsync(keys, new LogKeyStatement(LogKeyChange.Revoke, key, HeldOf(keys, key)), order, version, cancellation);
    }

    private async Task<VerifierKey> MakeAsync(LogKeyChange change, LogKeyOrder order, CancellationToken cancellation)
    {
        var (keys, version) = await StandAsync(cancellation);
        var by = HeldOf(keys, null);
        var made = signer.Make();
        try
        {
            await CommitAsync(keys, new LogKeyStatement(change, made, by), order, version, cancellation);
            return made;
        }
        catch (Exception e) when (e is not CommitInDoubtException)
        {
            // Nothing of it is durable, so that nobody will ever ask for this key.
            signer.Discard(made);
            throw;
        }
    }

    /// <summary>The version first: a change between both reads is a conflict, not a statement on keys that are not valid any more.</summary>
    private async Task<(LogKeyring Keys, long Version)> StandAsync(CancellationToken cancellation)
    {
        var version = (await journal.LoadAsync(Grain, cancellation))?.Version ?? 0;
        return (await ReadAsync(cancellation), version);
    }

    private VerifierKey HeldOf(LogKeyring keys, VerifierKey? not) =>
        keys.Current.Reverse().FirstOrDefault(key => !key.Equals(not) && signer.Holds(key))
            ?? throw new InvalidOperationException($"a change of the log's keys is signed by a valid key{(not is null ? "" : " other than the revoked one")}, and none is held here: expected {Expected(keys, not)}");

    private string Expected(LogKeyring keys, VerifierKey? not)
    {
        var others = keys.Current.Where(key => !key.Equals(not)).Select(key => $"{key} in {signer.PlaceOf(key)}").ToArray();
        return others.Length > 0 ? string.Join(" or ", others) : "a further key; add one first, or rotate";
    }

    private async Task CommitAsync(LogKeyring keys, LogKeyStatement statement, LogKeyOrder order, long version, CancellationToken cancellation)
    {
        // The leaf does not matter for whether it is valid, only for since when.
        if (!keys.TryApply(0, statement, out var after, out var fault))
            throw new InvalidOperationException(fault);
        var replaced = statement.Change == LogKeyChange.Add ? null : statement.Change == LogKeyChange.Rotate ? statement.By : statement.Key;
        var subject = new EventSubject(AuditActions.Group, AuditActions.LogKind, "", signer.First.Name, "", 0);
        var change = new GovernanceEvent(
            clock.GetUtcNow(), order.Actor, order.Role, subject, ChangeType.Governance, statement.Action, EventContext.LayerOne, "$.keys",
            replaced?.ToString(), statement.Sign(signer.Sign).ToString(), order.Rationale, true, null, "", "", "", order.Reviewer);
        var state = JsonSerializer.SerializeToUtf8Bytes(new KeyState($"{after.Genesis}", [.. after.Current.Select(key => $"{key}")]));
        var answer = await journal.CommitAsync(new Commit(Grain, version, state, false, [change], Guid.CreateVersion7()), cancellation);
        if (answer.Outcome != CommitOutcome.Committed)
            throw new InvalidOperationException($"somebody else changed the keys of the log meanwhile (version {answer.Version}, expected {version}); read them, and decide again");
    }

    /// <summary>For whoever looks into the state table; the log is what counts.</summary>
    private sealed record KeyState(string Genesis, string[] Current);
}
