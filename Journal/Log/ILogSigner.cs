using Governor.Domain.Transparency;

namespace Governor.Journal.Log;

/// <summary>
/// Holds keys of the log. Files today; a hardware module or a cloud key service fits behind it. Which of them signs is the log's to
/// say: its events add, rotate and revoke keys.
/// </summary>
public interface ILogSigner
{
    /// <summary>The key under the log's name that a new log begins with.</summary>
    VerifierKey First { get; }

    /// <summary>Whether it can sign for this key now; asked again, it finds what was brought meanwhile.</summary>
    bool Holds(VerifierKey key);

    /// <summary>A key of this log that is held, by the id that a note names; null when there is none.</summary>
    VerifierKey? Find(uint keyId);

    /// <summary>Where a key is looked for: said to whoever has to bring it.</summary>
    string PlaceOf(VerifierKey key);

    /// <summary>Ed25519 over the message.</summary>
    /// <exception cref="InvalidOperationException">The key is not held.</exception>
    byte[] Sign(VerifierKey key, ReadOnlyMemory<byte> message);

    /// <summary>Makes a further key, and keeps it durably before it answers.</summary>
    VerifierKey Make();

    /// <summary>Gives up a key of <see cref="Make"/> that never came into force.</summary>
    void Discard(VerifierKey key);
}
