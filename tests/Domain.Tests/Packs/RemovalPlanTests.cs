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
        { "we died before we heard that we made it", Planned("ConfigMap"), Live("ConfigMap", more: MadeBy(Owner), manager: Owner.FieldManager), RemovalCause.Deletion, "", "delete u1" },
        { "we died before we heard that it was there", Planned("ConfigMap"), Live("ConfigMap", manager: Owner.FieldManager), RemovalCause.Deletion, "", "keep ExistedBefore" },
        { "we died before we wrote it, and it is somebody else's", Planned("ConfigMap"), Live("ConfigMap", owner: ""), RemovalCause.Deletion, "", "keep NotOurs" },
        { "somebody copied our mark", Planned("Namespace"), Live("Namespace", more: MadeBy(Owner), manager: "human"), RemovalCause.Deletion, "", "keep ExistedBefore" },
        { "another pack says that it made it", Planned("Namespace"), Live("Namespace", more: MadeBy(new PackOwner(new ObjectKey("n", "other"))), manager: Owner.FieldManager), RemovalCause.Deletion, "", "keep ExistedBefore" },
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

    [Fact]
    public void What_is_only_planned_takes_nothing_from_what_is_known()
    {
        var known = new DeployedResource("v1", "ConfigMap", "web", "x", "u", true);
        var planned = known with { Uid = "", Created = false };

        Assert.Equal(known, Assert.Single(Inventory.Merge([known], [planned])));
        Assert.Equal(known, Assert.Single(Inventory.Merge([planned], [known])));
        Assert.False(Assert.Single(Inventory.Merge([known], [known with { Uid = "another", Created = false }])).Created);
    }

    [Fact]
    public void What_a_pack_itself_says_about_who_made_its_objects_does_not_count()
    {
        var claims = Owner.MarkCreated(Make.Json("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"x"}}"""));

        Assert.DoesNotContain(PackOwner.CreatedAnnotation, Owner.Mark(claims).Annotations.Keys);
    }

    private static string MadeBy(PackOwner owner) => $",\"{PackOwner.CreatedAnnotation}\":\"{owner.Instance}\"";

    private static DeployedResource Planned(string kind) => Entry(kind) with { Uid = "", Created = false };

    private static DeployedResource Entry(string kind) => new("v1", kind, kind == "Namespace" ? "" : "web", "x", "u1", true);

    private static KubeObject Live(string kind, string uid = "u1", string owner = "seam-tenant-ccs-dev/web-ccs-dev", string more = "", string manager = "") => Make.Json($$$"""
        {"apiVersion":"v1","kind":"{{{kind}}}","metadata":{"name":"x","uid":"{{{uid}}}","annotations":{"{{{(owner.Length > 0 ? PackOwner.Annotation : "x")}}}":"{{{owner}}}"{{{more}}} },
         "managedFields":[{"manager":"{{{manager}}}","operation":"Apply","fieldsV1":{"f:metadata":{"f:annotations":{"f:{{{PackOwner.CreatedAnnotation}}}":{} } } } }] } }
        """);
}
