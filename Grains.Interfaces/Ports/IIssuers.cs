namespace Governor.Grains.Interfaces.Ports;

/// <summary>The issuers of OpenID Connect tokens, outside of every cluster.</summary>
public interface IIssuers
{
    /// <summary>Asks an issuer for its discovery document (OpenID Connect Discovery 1.0, section 4). Bounded in time and size.</summary>
    /// <param name="caBundle">Certificates as PEM that its own must lead to; "" for the publicly trusted ones.</param>
    /// <returns>Why it cannot be relied on; null when it answered as the issuer it is said to be.</returns>
    Task<string?> AskAsync(string issuer, string caBundle, CancellationToken cancellation);
}
