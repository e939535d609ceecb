using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Approvals;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Api;

/// <param name="Caller">Null when the token is nobody's.</param>
internal sealed record AccessVerdict(Caller? Caller, bool Allowed);

/// <summary>
/// What the management cluster says about callers. Everybody can make us ask, so it is asked a few things at a time, the same thing
/// once for all who wait for it, and the answer is remembered for ten seconds, as the API server does. When too many wait already, the
/// next is refused at once: watches and applies have the rest of the connection for themselves.
/// </summary>
internal sealed class AccessReviews(IClusters clusters, TimeProvider clock) : IDisposable
{
    private const int AtOnce = 8;
    private const int UnderWay = 128;
    private const int Remembered = 10_000;

    private static readonly TimeSpan Memory = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Dictionary<Question, Review> _known = [];
    private readonly Queue<(Question Question, Review Review)> _oldestFirst = new();
    private readonly SemaphoreSlim _places = new(AtOnce);
    private int _underWay;

    /// <exception cref="KubernetesException">The management cluster does not answer, or too many callers wait for it.</exception>
    public Task<AccessVerdict> JudgeAsync(string token, RequiredAccess access, CancellationToken cancellation)
    {
        var question = new Question(Fingerprint.Of(token), access);
        return Find(question, token).Answer.WaitAsync(cancellation);
    }

    public void Dispose() => _places.Dispose();

    private Review Find(Question question, string token)
    {
        lock (_lock)
        {
            if (_known.TryGetValue(question, out var known) && known.Until > clock.GetUtcNow())
                return known;
            if (_underWay == UnderWay)
                throw new KubernetesException(429, "TooManyReviews", $"{UnderWay} callers wait for an answer already");
            _underWay++;
            var review = new Review();
            _known[question] = review;
            _oldestFirst.Enqueue((question, review));
            if (_oldestFirst.Count > Remembered)
                Forget(_oldestFirst.Dequeue());
            review.Answer = Task.Run(() => AnswerAsync(question, review, token));
            return review;
        }
    }

    private async Task<AccessVerdict> AnswerAsync(Question question, Review review, string token)
    {
        using var patience = new CancellationTokenSource(Patience, clock);
        try
        {
            await _places.WaitAsync(patience.Token);
            try
            {
                var verdict = await AskAsync(token, question.Access, patience.Token);
                lock (_lock)
                    review.Until = clock.GetUtcNow() + Memory;
                return verdict;
            }
            finally
            {
                _places.Release();
            }
        }
        catch (Exception e)
        {
            lock (_lock)
                Forget((question, review));
            if (e is OperationCanceledException)
                throw new KubernetesException(0, "Timeout", $"no answer within {Patience.TotalSeconds} s", e);
            throw;
        }
        finally
        {
            lock (_lock)
                _underWay--;
        }
    }

    private void Forget((Question Question, Review Review) old)
    {
        if (_known.TryGetValue(old.Question, out var known) && known == old.Review)
            _known.Remove(old.Question);
    }

    private async Task<AccessVerdict> AskAsync(string token, RequiredAccess access, CancellationToken cancellation)
    {
        var who = await clusters.Management.CreateAsync(Ask("authentication.k8s.io/v1", "TokenReview", new JsonObject { ["token"] = token }), cancellation);
        if (!IsTrue(who.Find("status", "authenticated")))
            return new AccessVerdict(null, false);
        var caller = new Caller(who.FindText("status", "user", "username") ?? "", GroupsOf(who.Find("status", "user", "groups")));
        var spec = new JsonObject
        {
            ["user"] = caller.Name,
            ["groups"] = new JsonArray([.. caller.Groups.Select(group => JsonValue.Create(group))]),
            ["resourceAttributes"] = new JsonObject { ["verb"] = access.Verb, ["group"] = access.Group, ["resource"] = access.Resource },
        };
        var may = await clusters.Management.CreateAsync(Ask("authorization.k8s.io/v1", "SubjectAccessReview", spec), cancellation);
        return new AccessVerdict(caller, IsTrue(may.Find("status", "allowed")));
    }

    private static KubeObject Ask(string apiVersion, string kind, JsonObject spec) => KubeObject.From(
        new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = kind, ["metadata"] = new JsonObject(), ["spec"] = spec });

    private static ImmutableArray<string> GroupsOf(JsonElement groups) =>
        groups.ValueKind == JsonValueKind.Array ? [.. groups.EnumerateArray().Select(group => group.GetString() ?? "")] : [];

    private static bool IsTrue(JsonElement element) => element.ValueKind == JsonValueKind.True;

    private readonly record struct Question(Fingerprint Token, RequiredAccess Access)
    {
        public override int GetHashCode() => Token.GetHashCode();
    }

    /// <summary>SHA-256 of a token: tokens are not kept.</summary>
    private readonly record struct Fingerprint(ulong First, ulong Second, ulong Third, ulong Fourth)
    {
        // As evenly spread as a hash can be, and nobody can choose it.
        public override int GetHashCode() => (int)First;

        public static Fingerprint Of(string token)
        {
            const int MostOnStack = 4096;
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            var length = Encoding.UTF8.GetMaxByteCount(token.Length);
            Span<byte> bytes = length <= MostOnStack ? stackalloc byte[MostOnStack] : new byte[length];
            SHA256.HashData(bytes[..Encoding.UTF8.GetBytes(token, bytes)], hash);
            bytes.Clear();
            var parts = MemoryMarshal.Cast<byte, ulong>(hash);
            return new Fingerprint(parts[0], parts[1], parts[2], parts[3]);
        }
    }

    private sealed class Review
    {
        public Task<AccessVerdict> Answer { get; set; } = null!;

        /// <summary>While it is under way, everybody may wait for it.</summary>
        public DateTimeOffset Until { get; set; } = DateTimeOffset.MaxValue;
    }
}
