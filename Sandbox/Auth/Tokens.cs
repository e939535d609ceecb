using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Auth;

/// <summary>What a bearer token proves, or why it proves nothing.</summary>
internal sealed record TokenVerdict(UserIdentity? User, IReadOnlyList<string> Audiences, string Error)
{
    public static TokenVerdict Bad(string error) => new(null, [], error);
}

/// <summary>The tokens of one cluster: static ones of users, and signed ones of service accounts.</summary>
internal sealed class Tokens : IDisposable
{
    public const string ApiAudience = "https://kubernetes.default.svc";

    private static readonly ResourceId ServiceAccounts = new("", "serviceaccounts");

    private readonly ConcurrentDictionary<string, UserIdentity> _users = new(StringComparer.Ordinal);
    private readonly byte[] _secret = RandomNumberGenerator.GetBytes(32);
    private readonly ObjectStore _store;
    private readonly TimeProvider _clock;

    public Tokens(ObjectStore store, TimeProvider clock)
    {
        _store = store;
        _clock = clock;
    }

    public string IssueFor(string user, IEnumerable<string> groups)
    {
        var token = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(24));
        _users[token] = UserIdentity.Of(user, user, groups);
        return token;
    }

    /// <summary>A JWT for a service account. Signed with HMAC: nobody but this cluster verifies it.</summary>
    public string IssueFor(StoredObject account, IReadOnlyList<string> audiences, long seconds, JsonObject? boundTo)
    {
        var now = _clock.GetUtcNow().ToUnixTimeSeconds();
        var details = new JsonObject
        {
            ["namespace"] = account.Key.Namespace,
            ["serviceaccount"] = new JsonObject { ["name"] = account.Key.Name, ["uid"] = account.Uid },
        };
        if (boundTo is not null)
            details[boundTo.Text("kind").ToLowerInvariant()] = new JsonObject { ["name"] = boundTo.Text("name"), ["uid"] = boundTo.Text("uid") };
        var claims = new JsonObject
        {
            ["aud"] = JsonText.ArrayOf(audiences),
            ["exp"] = now + seconds,
            ["iat"] = now,
            ["iss"] = ApiAudience,
            ["kubernetes.io"] = details,
            ["nbf"] = now,
            ["sub"] = $"system:serviceaccount:{account.Key.Namespace}:{account.Key.Name}",
        };
        var head = Encode("""{"alg":"HS256","typ":"JWT"}"""u8) + "." + Encode(JsonText.Bytes(claims));
        return head + "." + Sign(head);
    }

    public TokenVerdict Verify(string token, IReadOnlyList<string> audiences)
    {
        if (_users.TryGetValue(token, out var user))
            return new TokenVerdict(user, [ApiAudience], "");
        var dot = token.LastIndexOf('.');
        if (dot < 0 || !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Sign(token[..dot])), Encoding.ASCII.GetBytes(token[(dot + 1)..])))
            return TokenVerdict.Bad("invalid bearer token");
        return VerifyClaims(Decode(token[..dot].Split('.')[1]), audiences);
    }

    public void Dispose() => CryptographicOperations.ZeroMemory(_secret);

    private TokenVerdict VerifyClaims(JsonObject claims, IReadOnlyList<string> audiences)
    {
        var carried = claims.List("aud").Texts().ToArray();
        var shared = carried.Intersect(audiences).ToArray();
        if (shared.Length == 0)
            return TokenVerdict.Bad($"[invalid bearer token, token audiences {Quote(carried)} is invalid for the target audiences {Quote(audiences)}]");
        if (claims.Whole("exp") <= _clock.GetUtcNow().ToUnixTimeSeconds())
            return TokenVerdict.Bad("[invalid bearer token, service account token has expired]");
        var details = claims.Child("kubernetes.io")!;
        var account = details.Child("serviceaccount")!;
        var @namespace = details.Text("namespace");
        var name = account.Text("name");
        if (_store.Current.Find(ServiceAccounts, new ObjectKey(@namespace, name))?.Uid != account.Text("uid"))
            return TokenVerdict.Bad($"[invalid bearer token, serviceaccounts \"{name}\" not found]");
        foreach (var (kind, plural) in ((string, string)[])[("secret", "secrets"), ("pod", "pods")])
            if (details.Child(kind) is { } bound
                && _store.Current.Find(new ResourceId("", plural), new ObjectKey(@namespace, bound.Text("name")))?.Uid != bound.Text("uid"))
                return TokenVerdict.Bad($"[invalid bearer token, {plural} \"{bound.Text("name")}\" not found]");
        return new TokenVerdict(UserIdentity.ServiceAccount(@namespace, name, account.Text("uid")), shared, "");
    }

    private string Sign(string head) => Encode(HMACSHA256.HashData(_secret, Encoding.ASCII.GetBytes(head)));

    private static string Encode(ReadOnlySpan<byte> bytes) => Convert.ToBase64String(bytes).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static JsonObject Decode(string part)
    {
        var text = part.Replace('-', '+').Replace('_', '/');
        return JsonNode.Parse(Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '=')))!.AsObject();
    }

    private static string Quote(IEnumerable<string> audiences) => $"[{string.Join(" ", audiences.Select(a => $"\"{a}\""))}]";
}
