using System.Collections.Immutable;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

public enum AuditOutcome
{
    /// <summary>Every record, chain, root and signature is right, and the file is whole.</summary>
    Ok,

    /// <summary>Something is not what was signed; see <see cref="AuditVerdict.Fault"/>.</summary>
    Tampered,

    /// <summary>Nothing wrong up to where the file ends, but it ends too early to tell.</summary>
    Incomplete,
}

/// <summary>What is wrong with an audit trail.</summary>
public enum AuditFaultClass
{
    /// <summary>A record or payload is not the one that its hash or commitment says.</summary>
    AlteredRecord,

    /// <summary>A record does not name its predecessor's hash.</summary>
    BrokenChain,

    /// <summary>A record is missing: of the log, or of a subject's chain.</summary>
    SequenceGap,

    /// <summary>A place in the log or in a subject's chain is taken twice.</summary>
    DuplicateSequence,

    /// <summary>A record stands behind one that it belongs before.</summary>
    Reordered,

    /// <summary>The leaves do not hash to the root that was signed.</summary>
    RootMismatch,

    /// <summary>A checkpoint carries a line of the log's key, and the signature is false.</summary>
    BadSignature,

    /// <summary>A checkpoint, or the file, names another key than the one expected.</summary>
    WrongKey,

    /// <summary>A checkpoint, or the file, names another log.</summary>
    WrongOrigin,

    /// <summary>Leaves that a checkpoint covers, or the end of the file, are missing.</summary>
    Truncated,

    /// <summary>Not the export format.</summary>
    Malformed,

    /// <summary>A change of the log's keys that cannot be read, is not signed as it must be, or is signed by a key that was not valid.</summary>
    BadKeyStatement,

    /// <summary>A payload is missing, and no later event says that it was erased; or it may not be erased at all.</summary>
    UnexplainedErasure,

    /// <summary>Too few of the trusted witnesses have cosigned.</summary>
    NotWitnessed,
}

/// <param name="Index">
/// The first bad leaf. For <see cref="AuditFaultClass.RootMismatch"/> the first leaf after the last good checkpoint: one of those
/// from here to <see cref="AuditFault.Until"/>. For a fault in the header -1.
/// </param>
/// <param name="Until">Exclusive end of the range in which the bad leaf is.</param>
public sealed record AuditFault(AuditFaultClass Class, long Index, long Until, string Detail)
{
    /// <summary>In which of the files, from 0; null when it is not in one of them.</summary>
    public int? File { get; init; }
}

/// <param name="Leaves">How many leaves were read and found good.</param>
/// <param name="Chains">How many subjects these leaves are about.</param>
/// <param name="Erased">How many of them have had their payload erased.</param>
/// <param name="Checkpoint">The last good checkpoint.</param>
/// <param name="Key">The log's first key, as the file says; for a bundle the key that it was verified with.</param>
/// <param name="KeyWasTrusted">The log's keys were compared with one from outside the file; otherwise the file vouches for itself.</param>
public sealed record AuditVerdict(
    AuditOutcome Outcome, AuditFault? Fault, long Leaves, long Chains, long Erased, Checkpoint? Checkpoint, VerifierKey? Key, bool KeyWasTrusted)
{
    /// <summary>The keys that sign the log after the last leaf that was read, oldest first.</summary>
    public ImmutableArray<VerifierKey> CurrentKeys { get; init; } = [];

    /// <summary>The trusted witnesses that cosigned the last checkpoint.</summary>
    public ImmutableArray<VerifierKey> Cosigners { get; init; } = [];
}

/// <summary>What the one who verifies knows from elsewhere.</summary>
/// <param name="PublicKey">
/// A log key's 32 bytes of Ed25519 public key, or empty to take the file's word: the log's first key, or any later one that still
/// signs.
/// </param>
/// <param name="Origin">The log's name, or null to take the file's word.</param>
public sealed record AuditTrust(ImmutableArray<byte> PublicKey, string? Origin = null)
{
    public static AuditTrust None { get; } = new(ImmutableArray<byte>.Empty);

    /// <summary>Checkpoints seen before: the file must contain each as a prefix, or history was rolled back or forked.</summary>
    public ImmutableArray<Checkpoint> Known { get; init; } = [];

    /// <summary>Keys of type <see cref="NoteKeyType.Cosignature"/>: witnesses whose word counts. A false signature of one of them is a fault.</summary>
    public ImmutableArray<VerifierKey> Witnesses { get; init; } = [];

    /// <summary>How many of the witnesses must have cosigned the last checkpoint.</summary>
    public int Quorum { get; init; }

    public static AuditTrust In(VerifierKey key) => new(key.PublicKey, key.Name);
}
