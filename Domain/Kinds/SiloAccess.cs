using System.Collections.Immutable;
using System.Text;
using static Governor.Domain.Kinds.KnownKinds;

namespace Governor.Domain.Kinds;

/// <summary>What the silo does with the objects of a kind on the management cluster.</summary>
[Flags]
public enum SiloUse
{
    None = 0,

    /// <summary>Reads them, and is told of changes: get, list, watch.</summary>
    Follows = 1,

    /// <summary>Reads one at a time: get.</summary>
    Reads = 2,

    /// <summary>Puts annotations on what somebody else declared: patch.</summary>
    Annotates = 4,

    /// <summary>Makes them and keeps them as they should be, by server-side apply: create, patch.</summary>
    Makes = 8,

    /// <summary>Takes them away: delete.</summary>
    Removes = 16,

    /// <summary>Says how they stand: patch of the status subresource.</summary>
    Reports = 32,
}

/// <summary>
/// What the silo needs of the governed kinds, and nothing else: the role in <c>deploy/rbac/silo.yaml</c> is made from this table, and
/// the silo's own tests run it under that role.
/// </summary>
public static class SiloAccess
{
    /// <summary>Kinds that are not here are none of the silo's business.</summary>
    public static ImmutableArray<(GroupVersionKind Kind, SiloUse Use)> All { get; } =
    [
        (RBACPolicy, SiloUse.Follows | SiloUse.Reports),
        (RBACProfile, SiloUse.Follows | SiloUse.Reports),
        (PermissionSet, SiloUse.Follows | SiloUse.Reports),
        (IdentityProvider, SiloUse.Follows | SiloUse.Reports),
        (IdentityBinding, SiloUse.Follows | SiloUse.Reports),
        (PermissionSnapshot, SiloUse.Follows | SiloUse.Makes | SiloUse.Removes | SiloUse.Reports),
        (PermissionSnapshotReceipt, SiloUse.Makes | SiloUse.Reports),
        (Guardian, SiloUse.Makes | SiloUse.Reports),
        (TalosCluster, SiloUse.Follows | SiloUse.Reports),
        (ClusterPack, SiloUse.Follows | SiloUse.Annotates | SiloUse.Reports),
        (PackExecution, SiloUse.Follows | SiloUse.Makes | SiloUse.Reports),
        (PackInstance, SiloUse.Follows | SiloUse.Makes | SiloUse.Removes | SiloUse.Reports), // one that has nothing on its target any more goes
        (RunnerConfig, SiloUse.Follows | SiloUse.Makes | SiloUse.Removes | SiloUse.Reports),
        (SeamMembership, SiloUse.Follows | SiloUse.Reports),
        (InfrastructureLineageIndex, SiloUse.Reads | SiloUse.Makes),
    ];

    /// <summary>The rules of the silo's ClusterRole for the governed kinds, as YAML.</summary>
    public static string RulesYaml()
    {
        var yaml = new StringBuilder();
        var rules = All.GroupBy(row => (row.Kind.Group, Verbs: Verbs(row.Use)))
            .Select(rule => (rule.Key.Group, rule.Key.Verbs, Resources: rule.Select(row => Plural(row.Kind))))
            .Concat(All.Where(row => row.Use.HasFlag(SiloUse.Reports)).GroupBy(row => row.Kind.Group)
                .Select(group => (Group: group.Key, Verbs: "patch", Resources: group.Select(row => Plural(row.Kind) + "/status"))));
        foreach (var (group, verbs, resources) in rules)
            yaml.Append($"- apiGroups: [{group}]\n  resources: [{string.Join(", ", resources)}]\n  verbs: [{verbs}]\n");
        return yaml.ToString();
    }

    private static string Plural(GroupVersionKind kind) => KindTable.Default.Get(kind).Plural;

    private static string Verbs(SiloUse use)
    {
        var verbs = new List<string>();
        if (use.HasFlag(SiloUse.Follows))
            verbs.AddRange(["get", "list", "watch"]);
        else if (use.HasFlag(SiloUse.Reads))
            verbs.Add("get");
        if (use.HasFlag(SiloUse.Makes))
            verbs.AddRange(["create", "patch"]);
        else if (use.HasFlag(SiloUse.Annotates))
            verbs.Add("patch");
        if (use.HasFlag(SiloUse.Removes))
            verbs.Add("delete");
        return string.Join(", ", verbs);
    }
}
