using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Kubeconfig;

/// <summary>What is sent along with each request to say who asks.</summary>
internal abstract class Credential : IDisposable
{
    /// <summary>The bearer token to send now; null for none.</summary>
    /// <exception cref="KubernetesException">There is none to be had now (reason <c>CredentialsUnavailable</c>).</exception>
    public abstract ValueTask<string?> TokenAsync(CancellationToken cancellation);

    /// <summary>A client certificate that comes with the token and may change with it.</summary>
    public virtual ClientCertificate? Certificate => null;

    /// <summary>The server refused the current token. True when a fresh one can be had.</summary>
    public virtual bool Refused() => false;

    public virtual void Dispose() => GC.SuppressFinalize(this);

    /// <summary>Printable ASCII without blanks: anything else could not be sent in a header, or would end it.</summary>
    public static bool IsToken(string token) => token.Length is > 0 and <= 64 * 1024 && token.All(c => c is > ' ' and <= '~');

    protected static KubernetesException Unavailable(string message, Exception? inner = null) => new(0, "CredentialsUnavailable", message, inner);
}

/// <summary>A token that never changes, or none (a client certificate says who asks).</summary>
internal sealed class FixedToken(string? token) : Credential
{
    public override ValueTask<string?> TokenAsync(CancellationToken cancellation) => new(token);
}

/// <summary>A token in a file that somebody else renews, such as the kubelet for a service account.</summary>
internal sealed class TokenFile(string path, TimeProvider time) : Credential
{
    // The kubelet renews at 80 % of the lifetime, which is ten minutes at least: a minute is soon enough.
    private static readonly TimeSpan Freshness = TimeSpan.FromMinutes(1);

    private volatile Reading? _last;

    public override ValueTask<string?> TokenAsync(CancellationToken cancellation)
    {
        if (_last is { } last && time.GetElapsedTime(last.At) < Freshness)
            return new(last.Token);
        return ReadAsync(cancellation);
    }

    public override bool Refused()
    {
        _last = null;
        return true;
    }

    private async ValueTask<string?> ReadAsync(CancellationToken cancellation)
    {
        string token;
        try
        {
            var length = new FileInfo(path).Length;
            if (length > KubeconfigDocument.MaxBytes)
                throw Unavailable($"token file '{path}': expected at most {KubeconfigDocument.MaxBytes} bytes, found {length}");
            token = (await File.ReadAllTextAsync(path, cancellation)).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unavailable($"token file '{path}': expected a readable file, found: {e.Message}", e);
        }
        if (!IsToken(token))
            throw Unavailable($"token file '{path}': expected a token, found {(token.Length == 0 ? "nothing" : "characters that no token has")}");
        _last = new Reading(token, time.GetTimestamp());
        return token;
    }

    private sealed record Reading(string Token, long At);
}
