using Governor.Domain.Transparency;
using Governor.Journal.Log;

namespace Governor.Cli.Journal;

/// <summary>For verbs that only read: they neither need the log's private keys nor make any.</summary>
internal sealed class NoLogKeys : ILogSigner
{
    public VerifierKey First => throw new InvalidOperationException("the log has no first key yet: nothing was signed");

    public bool Holds(VerifierKey key) => false;

    public VerifierKey? Find(uint keyId) => null;

    public string PlaceOf(VerifierKey key) => "nowhere: this verb signs nothing";

    public byte[] Sign(VerifierKey key, ReadOnlyMemory<byte> message) => throw new InvalidOperationException($"the log key {key} is not held: this verb signs nothing");

    public VerifierKey Make() => throw new InvalidOperationException("this verb makes no keys");

    public void Discard(VerifierKey key)
    {
    }
}
