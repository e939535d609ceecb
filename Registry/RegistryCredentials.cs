using System.Text;
using System.Text.Json;

namespace Governor.Registry;

/// <summary>What docker's <c>config.json</c> says for one registry. Its text form shows nothing.</summary>
internal sealed class RegistryCredentials
{
    private RegistryCredentials(string user, string password, string identityToken)
    {
        User = user;
        Password = password;
        IdentityToken = identityToken;
    }

    internal string User { get; }

    internal string Password { get; }

    /// <summary>An OAuth2 refresh token; "" where there is none.</summary>
    internal string IdentityToken { get; }

    public override string ToString() => "credentials";

    /// <exception cref="RegistryException">The file cannot be read; says where and what, never shows content.</exception>
    internal static async Task<RegistryCredentials?> FindAsync(string? file, string host, CancellationToken cancellation)
    {
        if (file is null)
            return null;
        try
        {
            var bytes = await File.ReadAllBytesAsync(file, cancellation).ConfigureAwait(false);
            using var document = JsonDocument.Parse(bytes);
            if (!document.RootElement.TryGetProperty("auths", out var auths))
                return null;
            foreach (var entry in auths.EnumerateObject())
                if (string.Equals(HostOf(entry.Name), host, StringComparison.OrdinalIgnoreCase))
                    return Read(entry.Value, file, host);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(file, e.Message);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Unreadable(file, "it is not JSON of docker's config.json form");
        }
    }

    /// <summary>Keys are hosts, but older clients wrote URLs.</summary>
    private static string HostOf(string key)
    {
        var scheme = key.IndexOf("://", StringComparison.Ordinal);
        var rest = scheme < 0 ? key : key[(scheme + 3)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? rest : rest[..slash];
    }

    private static RegistryCredentials Read(JsonElement entry, string file, string host)
    {
        var (user, password, token) = (Text(entry, "username"), Text(entry, "password"), Text(entry, "identitytoken"));
        if (Text(entry, "auth") is { Length: > 0 } auth)
        {
            var buffer = new byte[auth.Length];
            var pair = Convert.TryFromBase64String(auth, buffer, out var length) ? Encoding.UTF8.GetString(buffer, 0, length) : "";
            var colon = pair.IndexOf(':', StringComparison.Ordinal);
            if (colon < 0)
                throw Unreadable(file, $"'auth' of {host} is not base64 of 'user:password'");
            (user, password) = (pair[..colon], pair[(colon + 1)..].TrimEnd('\0'));
        }
        return new RegistryCredentials(user, password, token);
    }

    private static string Text(JsonElement entry, string property) =>
        entry.TryGetProperty(property, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static RegistryException Unreadable(string file, string problem) =>
        new(RegistryReasons.RegistryDenied, $"{file}: expected registry credentials as docker's config.json, but {problem}");
}
