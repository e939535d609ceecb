using System.Collections.Immutable;

namespace Governor.Domain.Admission;

/// <summary>A certificate authority that vouches for the webhook's certificates.</summary>
/// <param name="Id">Told apart by it.</param>
/// <param name="SignsFrom">Not before then: until everybody has heard of it.</param>
public sealed record Authority(string Id, DateTimeOffset NotBefore, DateTimeOffset NotAfter, DateTimeOffset SignsFrom);

/// <summary>What is to be done about the authorities that there are.</summary>
/// <param name="Signer">Issues certificates; null while there is none that may.</param>
/// <param name="Trusted">Belong into every bundle, oldest first.</param>
/// <param name="Dropped">Nobody needs them any more.</param>
/// <param name="NeedsSuccessor">A new one has to be made.</param>
/// <param name="Next">When to look again.</param>
public sealed record AuthorityPlan(Authority? Signer, ImmutableArray<Authority> Trusted, ImmutableArray<Authority> Dropped, bool NeedsSuccessor, DateTimeOffset Next)
{
    /// <summary>Of a lifetime, before something is replaced: two thirds.</summary>
    private const double Renewed = 2.0 / 3;

    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <param name="known">Those that there are.</param>
    /// <param name="announced">Those that are in every bundle that was seen; another one does not sign yet as long as an older one can.</param>
    public static AuthorityPlan Of(ImmutableArray<Authority> known, IReadOnlySet<string> announced, bool isAskedFor, DateTimeOffset now)
    {
        var alive = known.Where(authority => authority.NotAfter > now).OrderBy(authority => authority.SignsFrom).ThenBy(authority => authority.Id, StringComparer.Ordinal).ToImmutableArray();
        var due = alive.Where(authority => authority.SignsFrom <= now && authority.NotBefore <= now).ToImmutableArray();
        var signer = due.LastOrDefault(authority => announced.Contains(authority.Id)) ?? due.LastOrDefault();
        var newest = alive.LastOrDefault();
        var needsSuccessor = newest is null || (isAskedFor && newest == signer) || now >= RenewAt(newest.NotBefore, newest.NotAfter);
        var moments = alive.SelectMany(authority => (DateTimeOffset[])[authority.SignsFrom, authority.NotAfter, RenewAt(authority.NotBefore, authority.NotAfter)]).Where(at => at > now);
        return new AuthorityPlan(signer, alive, [.. known.Except(alive)], needsSuccessor, moments.Append(now + Longest).Min());
    }

    /// <summary>When something with this lifetime is replaced.</summary>
    public static DateTimeOffset RenewAt(DateTimeOffset notBefore, DateTimeOffset notAfter) => notBefore + ((notAfter - notBefore) * Renewed);
}
