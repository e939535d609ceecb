using System.Security.Cryptography;
using System.Text;

namespace Governor.Domain.Lineage;

/// <summary>The keys and names by which lineage is written on Kubernetes objects.</summary>
public static class LineageNames
{
    private const string Prefix = "infrastructure.ontai.dev/";
    private const string GovernancePrefix = "governance.infrastructure.ontai.dev/";

    private const int LongestLabel = 63;
    private const int LongestName = 253;

    public const string RootIli = Prefix + "root-ili";
    public const string RootIliNamespace = Prefix + "root-ili-namespace";
    public const string SeamOperator = Prefix + "seam-operator";
    public const string CreationRationale = Prefix + "creation-rationale";

    /// <summary>An annotation, not a label: user names hold characters that labels refuse.</summary>
    public const string ActorRef = Prefix + "actor-ref";

    public const string DeclaringPrincipal = Prefix + "declaring-principal";
    public const string RootKind = Prefix + "root-kind";
    public const string RootName = Prefix + "root-name";

    /// <summary>On the root: the name of its index.</summary>
    public const string LineageIndexRef = GovernancePrefix + "lineage-index-ref";

    public const string ControllerAuthored = GovernancePrefix + "controller-authored";
    public const string GovernanceRootKind = GovernancePrefix + "root-kind";
    public const string GovernanceRootName = GovernancePrefix + "root-name";
    public const string GovernanceRootNamespace = GovernancePrefix + "root-namespace";
    public const string GovernanceRootUid = GovernancePrefix + "root-uid";

    /// <summary>The domain above every index.</summary>
    public const string DomainRef = "infrastructure.core.ontai.dev";

    /// <summary>The principal of a root that nobody's name was stamped on.</summary>
    public const string UnknownPrincipal = "system:unknown";

    /// <summary>The name of a root's index: the kind in lower case, a dash, the root's name; shortened by a hash where it would be too long.</summary>
    public static string Index(string kind, string name) => Shorten($"{kind.ToLowerInvariant()}-{name}", LongestName);

    /// <summary>
    /// The name of a root's index when the plain name may already belong to an earlier root of the same name: that one keeps it, the new
    /// one gets a name of its own.
    /// </summary>
    /// <param name="occupantUid">UID of the root that the index of the plain name belongs to; null when there is no such index.</param>
    public static string Index(RootBinding root, string? occupantUid)
    {
        var plain = Index(root.RootKind, root.RootName);
        return occupantUid is null || occupantUid == root.RootUid
            ? plain
            : $"{Shorten(plain, LongestName - 9)}-{Hash(root.RootUid)}";
    }

    /// <summary>A text as a label value: as it is where labels allow it, otherwise cut and told apart by a hash.</summary>
    public static string LabelValue(string text) => IsLabelValue(text) ? text : Shorten(Sanitise(text), LongestLabel, Hash(text));

    internal static bool IsLabelValue(string text) =>
        text.Length <= LongestLabel
        && text.All(IsLabelCharacter)
        && (text.Length == 0 || (char.IsAsciiLetterOrDigit(text[0]) && char.IsAsciiLetterOrDigit(text[^1])));

    private static string Sanitise(string text) => new([.. text.Select(character => IsLabelCharacter(character) ? character : '-')]);

    private static bool IsLabelCharacter(char character) => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.';

    private static string Shorten(string text, int longest) => text.Length <= longest ? text : Shorten(text, longest, Hash(text));

    private static string Shorten(string text, int longest, string hash)
    {
        var stem = text[..Math.Min(text.Length, longest - hash.Length - 1)].Trim('-', '_', '.');
        return stem.Length == 0 ? hash : $"{stem}-{hash}";
    }

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..8];
}
