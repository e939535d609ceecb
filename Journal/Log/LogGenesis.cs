using Governor.Domain.Transparency;
using Npgsql;

namespace Governor.Journal.Log;

/// <summary>The key that the log began with, which verifiers pin: the stored one, or the one that a new log will begin with.</summary>
public sealed class LogGenesis(ILogSigner signer)
{
    private VerifierKey? _stored;

    /// <summary>As far as this process knows: it reads the stored one when the host starts, and with the first look at the log.</summary>
    public VerifierKey Key => Volatile.Read(ref _stored) ?? signer.First;

    /// <summary>It never changes, so that it is read once.</summary>
    internal async Task<VerifierKey> ReadAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        if (Volatile.Read(ref _stored) is null && await LogTables.GenesisAsync(connection, cancellation) is { } stored)
            Volatile.Write(ref _stored, stored);
        return Key;
    }
}
