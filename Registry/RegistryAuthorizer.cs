using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Governor.Registry;

/// <summary>
/// Answers a registry's challenges: Basic with the configured credentials, Bearer with a token from the realm it names
/// (the distribution project's token specification). Nothing is sent before a challenge asked for it.
/// </summary>
internal sealed partial class RegistryAuthorizer(HttpClient http, HostPolicy hosts, RegistryOptions options, TimeProvider clock)
{
    private const int TokenAnswerBytes = 1024 * 1024;

    private readonly ConcurrentDictionary<(RepositoryName Repository, string Actions), Known> _known = new();

    /// <summary>What worked before and is still valid.</summary>
    internal AuthenticationHeaderValue? Remembered(RepositoryName repository, string actions) =>
        _known.TryGetValue((repository, actions), out var known) && known.Until > clock.GetUtcNow() ? known.Header : null;

    /// <summary>The answer to a 401.</summary>
    /// <exception cref="RegistryException">There is no answer: no credentials, or a challenge that we do not speak.</exception>
    internal async Task<AuthenticationHeaderValue> AnswerAsync(
        HttpResponseMessage refusal, Uri asked, RepositoryName repository, string actions, CancellationToken cancellation)
    {
        _known.TryRemove((repository, actions), out _);
        var credentials = await RegistryCredentials.FindAsync(options.CredentialsFile, repository.Host, cancellation).ConfigureAwait(false);
        var challenges = refusal.Headers.WwwAuthenticate;
        var known = challenges.FirstOrDefault(c => c.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase)) is { } bearer
            ? await TokenAsync(Parameters(bearer.Parameter ?? ""), asked, repository, actions, credentials, cancellation).ConfigureAwait(false)
            : challenges.Any(c => c.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)) && credentials is not null
                ? new Known(Basic(credentials), DateTimeOffset.MaxValue)
                : throw new RegistryException(
                    RegistryReasons.RegistryDenied,
                    $"{repository}: expected access to {actions}, found a challenge '{string.Join(", ", challenges.Select(c => c.Scheme))}' and " +
                    (credentials is null ? $"no credentials for {repository.Host}; set {RegistryOptions.Section}:{nameof(options.CredentialsFile)}" : "no way to answer it"));
        _known[(repository, actions)] = known;
        return known.Header;
    }

    private async Task<Known> TokenAsync(
        Dictionary<string, string> challenge, Uri asked, RepositoryName repository, string actions, RegistryCredentials? credentials,
        CancellationToken cancellation)
    {
        if (!Uri.TryCreate(challenge.GetValueOrDefault("realm"), UriKind.Absolute, out var realm))
            throw new RegistryException(RegistryReasons.RegistryDenied, $"{repository}: expected a challenge with the URL of a realm, found none");
        realm = hosts.Follow(asked, realm);
        var scope = challenge.GetValueOrDefault("scope") ?? $"repository:{repository.Path}:{actions}";
        using var request = TokenRequest(realm, challenge.GetValueOrDefault("service"), scope, credentials);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
            throw new RegistryException(
                RegistryReasons.RegistryDenied, $"{repository}: expected a token from {realm.Authority} for '{scope}', found status {(int)response.StatusCode}",
                transient: (int)response.StatusCode >= 500);
        var body = await BoundedContent.ReadAsync(response.Content, TokenAnswerBytes, $"token from {realm.Authority}", null, options, clock, cancellation)
            .ConfigureAwait(false);
        return ReadToken(body, realm);
    }

    private static HttpRequestMessage TokenRequest(Uri realm, string? service, string scope, RegistryCredentials? credentials)
    {
        var fields = new List<KeyValuePair<string, string>> { new("scope", scope) };
        if (service is not null)
            fields.Add(new("service", service));
        if (credentials is { IdentityToken.Length: > 0 })
        {
            fields.AddRange([new("grant_type", "refresh_token"), new("refresh_token", credentials.IdentityToken), new("client_id", "governor")]);
            return new HttpRequestMessage(HttpMethod.Post, realm) { Content = new FormUrlEncodedContent(fields) };
        }
        var query = string.Join('&', fields.Select(f => $"{f.Key}={Uri.EscapeDataString(f.Value)}"));
        var request = new HttpRequestMessage(HttpMethod.Get, new UriBuilder(realm) { Query = realm.Query.Length > 1 ? $"{realm.Query[1..]}&{query}" : query }.Uri);
        if (credentials is not null)
            request.Headers.Authorization = Basic(credentials);
        return request;
    }

    private Known ReadToken(byte[] body, Uri realm)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var root = document.RootElement;
            var token = (root.TryGetProperty("token", out var t) || root.TryGetProperty("access_token", out t) ? t.GetString() : null)
                ?? throw new JsonException("no token");
            // The specification's default is 60 s; the margin covers the request that the token is for.
            var seconds = root.TryGetProperty("expires_in", out var expires) && expires.TryGetInt32(out var s) ? Math.Clamp(s, 0, 86_400) : 60;
            return new Known(new AuthenticationHeaderValue("Bearer", token), clock.GetUtcNow().AddSeconds(seconds * 0.8));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new RegistryException(RegistryReasons.RegistryDenied, $"{realm.Authority}: expected JSON with a token, found something else");
        }
    }

    private static AuthenticationHeaderValue Basic(RegistryCredentials credentials) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{credentials.User}:{credentials.Password}")));

    private static Dictionary<string, string> Parameters(string text)
    {
        var made = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (Match match in Parameter().Matches(text))
            made[match.Groups["name"].Value] = match.Groups["value"].Value;
        return made;
    }

    [GeneratedRegex("""(?<name>[A-Za-z_]+)="(?<value>[^"]*)"|(?<name>[A-Za-z_]+)=(?<value>[^",\s]+)""", RegexOptions.ExplicitCapture)]
    private static partial Regex Parameter();

    private sealed record Known(AuthenticationHeaderValue Header, DateTimeOffset Until);
}
