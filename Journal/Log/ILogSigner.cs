using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Journal.Log;

/// <summary>Holds the log's key. A file today; a hardware module or a cloud key service fits behind it.</summary>
public interface ILogSigner
{
    /// <summary>The public key under the log's name.</summary>
    VerifierKey Key { get; }

    /// <summary>Ed25519 over the message.</summary>
    byte[] Sign(ReadOnlyMemory<byte> message);
}
