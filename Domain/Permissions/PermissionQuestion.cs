using System.Buffers;
using System.Collections.Immutable;

namespace Governor.Domain.Permissions;

/// <summary>What is wrong with one member of a question.</summary>
public sealed record QuestionFault(string Member, string Expected, string Found)
{
    public override string ToString() => $"{Member}: expected {Expected}, found {Found}";
}

/// <summary>
/// Whether somebody may do something on a cluster. <c>*</c> as group, resource or verb asks about all of them at once, and no name about
/// all names: a right to some is no answer to that.
/// </summary>
/// <param name="Principal">"" where the question is who may.</param>
/// <param name="ApiGroup">"" for the core group.</param>
/// <param name="Resource">The plural, perhaps with a subresource: <c>pods/log</c>.</param>
/// <param name="ResourceName">Null asks about no single object.</param>
/// <param name="Namespace">Null asks about cluster-scoped objects, or about all namespaces.</param>
public sealed record PermissionQuestion(string Principal, string ApiGroup, string Resource, string Verb, string? ResourceName = null, string? Namespace = null)
{
    /// <summary>The groups that the principal is in: what they may do, it may, too.</summary>
    public ImmutableArray<string> Groups { get; init; } = [];

    /// <summary>Principal and groups, as profiles refer to them.</summary>
    internal IEnumerable<string> Subjects => Groups.Select(Permissions.Principal.OfGroup).Prepend(Principal);

    private const int LongestName = 253;
    private const int LongestLabel = 63;
    private const int LongestPrincipal = 1024;
    private const int MostGroups = 1000;

    private static readonly SearchValues<char> LabelCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-");
    private static readonly SearchValues<char> GroupCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-.");
    private static readonly SearchValues<char> VerbCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz");

    /// <summary>Everything that is wrong with it, by the names that the members have on the wire.</summary>
    public IEnumerable<QuestionFault> Faults()
    {
        if (ApiGroup != ResourcePattern.All && !(ApiGroup.Length <= LongestName && !ApiGroup.AsSpan().ContainsAnyExcept(GroupCharacters)))
            yield return new QuestionFault("apiGroup", "an API group without version, \"\" for the core group, or *", Quote(ApiGroup));
        if (!IsResource(Resource))
            yield return new QuestionFault("resource", "the plural of a resource in small letters, perhaps with /subresource, or *", Quote(Resource));
        if (Verb != ResourcePattern.All && !(Verb.Length is > 0 and <= LongestLabel && !Verb.AsSpan().ContainsAnyExcept(VerbCharacters)))
            yield return new QuestionFault("verb", "a verb in small letters, or *", Quote(Verb));
        foreach (var fault in FaultsOfGroups(Groups))
            yield return fault;
        if (ResourceName is { Length: > 0 } name && (name.Length > LongestName || name == ResourcePattern.All || name.Any(character => character is '/' or '%' || char.IsControl(character))))
            yield return new QuestionFault("resourceName", "the name of one object; none for all", Quote(name));
        if (Namespace is { Length: > 0 } place && !IsLabel(place))
            yield return new QuestionFault("namespace", "the name of one namespace; none for all and for cluster-scoped objects", Quote(place));
    }

    /// <summary>What is wrong with a principal's name, or null.</summary>
    public static QuestionFault? FaultOf(string principal) =>
        principal.Length is > 0 and <= LongestPrincipal && !principal.Any(char.IsControl)
            ? null
            : new QuestionFault("principal", $"a user, system:serviceaccount:NAMESPACE:NAME or system:group:NAME, of at most {LongestPrincipal} characters", Quote(principal));

    /// <summary>What is wrong with the names of groups.</summary>
    public static IEnumerable<QuestionFault> FaultsOfGroups(ImmutableArray<string> groups)
    {
        if (groups.Length > MostGroups)
            yield return new QuestionFault("groups", $"at most {MostGroups} groups", $"{groups.Length}");
        foreach (var name in groups.Where(name => name is not { Length: > 0 and <= LongestPrincipal } || name.Any(char.IsControl)).Take(1))
            yield return new QuestionFault("groups", $"names of groups, of at most {LongestPrincipal} characters", Quote(name ?? ""));
    }

    /// <summary>What is wrong with a cluster's name, or null.</summary>
    public static QuestionFault? FaultOfCluster(string cluster) =>
        cluster.Length is > 0 and <= LongestName && !cluster.AsSpan().ContainsAnyExcept(GroupCharacters)
            ? null
            : new QuestionFault("cluster", "the name of a governed cluster", Quote(cluster));

    public override string ToString() =>
        $"{Verb} {(ApiGroup.Length == 0 ? "core" : ApiGroup)}/{Resource}"
        + (string.IsNullOrEmpty(ResourceName) ? "" : $" named {ResourceName}")
        + (string.IsNullOrEmpty(Namespace) ? "" : $" in {Namespace}");

    private static bool IsResource(string resource)
    {
        if (resource == ResourcePattern.All)
            return true;
        var slash = resource.IndexOf('/', StringComparison.Ordinal);
        return slash < 0
            ? IsLabel(resource)
            : (IsLabel(resource[..slash]) || resource[..slash] == ResourcePattern.All) && IsLabel(resource[(slash + 1)..]);
    }

    private static bool IsLabel(string text) => text.Length is > 0 and <= LongestLabel && !text.AsSpan().ContainsAnyExcept(LabelCharacters);

    private static string Quote(string text) => text.Length switch
    {
        0 => "nothing",
        <= 80 => $"'{text}'",
        _ => $"'{text[..80]}…', {text.Length} characters",
    };
}
