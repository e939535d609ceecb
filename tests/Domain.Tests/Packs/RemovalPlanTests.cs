using Governor.Domain.Kinds;
using Governor.Domain.Packs;

namespace Governor.Domain.Tests.Packs;

public sealed class RemovalPlanTests
{
    private static readonly PackOwner Owner = new(Make.Instance);

    public static TheoryData<string, DeployedResource, KubeObject?, RemovalCause, string, string> Cases => new()
    {
        { "ours, made by us, still the same", Entry("ConfigMap"), Live("ConfigMap"), RemovalCause.Prune, "", "delete u1" },
        { "gone", Entry("ConfigMap"), null, RemovalCause.Prune, "", "absent" },
        { "another object of that name", Entry("ConfigMap"), Live("ConfigMap", uid: "u2"), RemovalCause.Prune, "", "keep AnotherObject" },
        { "somebody took our mark off", Entry("ConfigMap"), Live("ConfigMap", owner: ""), RemovalCause.Deletion, "", "keep NotOurs" },
        { "another pack has taken it over", Entry("ConfigMap"), Live("ConfigMap", owner: "n/other"), RemovalCause.Deletion, "", "keep NotOurs" },
        { "it was there before us", Entry("ConfigMap") with { Created = false }, Live("ConfigMap"), RemovalCause.Deletion, "", "keep ExistedBefore" },
        { "it asks to be kept", Entry("ConfigMap"), Live("ConfigMap", more: ",\"ontai.dev/retain-on-deletion\":\"true\""), RemovalCause.Deletion, "", "keep Retained" },
        { "a claim that a release no longer has", Entry("PersistentVolumeClaim"), Live("PersistentVolumeClaim"), RemovalCause.Prune, "", "keep KindKept" },
        { "a namespace that a release no longer has", Entry("Namespace"), Live("Namespace"), RemovalCause.Prune, "", "keep KindKept" },
        { "a claim that may go", Entry("PersistentVolumeClaim"), Live("PersistentVolumeClaim", more: ",\"ontai.dev/prune\":\"true\""), RemovalCause.Prune, "", "delete u1" },
        { "a claim of a pack that keeps nothing", Entry("PersistentVolumeClaim"), Live("PersistentVolumeClaim"), RemovalCause.Deletion, "", "delete u1" },
        { "a namespace with nothing of others", Entry("Namespace"), Live("Namespace"), RemovalCause.Deletion, "", "delete u1" },
        { "a namespace with something of others", Entry("Namespace"), Live("Namespace"), RemovalCause.Deletion, "ConfigMap theirs", "keep HoldsOthers" },
        { "an entry from before UIDs were kept", Entry("ConfigMap") with { Uid = "" }, Live("ConfigMap"), RemovalCause.Prune, "", "delete u1" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Only_what_is_ours_beyond_doubt_goes(string situation, DeployedResource entry, KubeObject? live, RemovalCause cause, string others, string expected)
    {
        var verdict = RemovalPlan.Judge(entry, live, Owner, cause, others) switch
        {
            RemovalVerdict.Delete(var uid) => $"delete {uid}",
            RemovalVerdict.Absent => "absent",
            RemovalVerdict.Keep(var reason, _) => $"keep {reason}",
            _ => "?",
        };

        Assert.True(expected == verdict, $"{situation}: expected {expected}, found {verdict}");
    }

    [Fact]
    public void Of_one_object_the_later_entry_counts_and_the_version_of_its_group_does_not()
    {
        var before = new DeployedResource("apps/v1beta1", "Deployment", "web", "web", "u", true);

        var merged = Assert.Single(Inventory.Merge([before], [new DeployedResource("apps/v1", "Deployment", "web", "web", "u")]));

        Assert.Equal(("apps/v1", true), (merged.ApiVersion, merged.Created));
        Assert.Empty(Inventory.Without([before], [merged]));
    }

    private static DeployedResource Entry(string kind) => new("v1", kind, kind == "Namespace" ? "" : "web", "x", "u1", true);

    private static KubeObject Live(string kind, string uid = "u1", string owner = "seam-tenant-ccs-dev/web-ccs-dev", string more = "") => Make.Json($$"""
        {"apiVersion":"v1","kind":"{{kind}}","metadata":{"name":"x","uid":"{{uid}}","annotations":{"{{(owner.Length > 0 ? PackOwner.Annotation : "x")}}":"{{owner}}"{{more}}} } }
        """);
}
