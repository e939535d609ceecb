using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Tests.Lineage;

public sealed class LineageTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly CreatingOperator Wrapper = new("wrapper", "0.1.0");
    private static readonly KindDescription PackKind = KindTable.Default.Get(KnownKinds.ClusterPack);

    [Fact]
    public void A_chain_names_the_root_and_the_generation_of_the_root()
    {
        var chain = Chain(Pack());

        Assert.Equal(
            new SealedCausalChain("ClusterPack", "web", "seam-tenant-ccs-dev", "root-1", Wrapper, CreationRationale.PackExecution, 7, Noon, "system:governor"),
            chain);
    }

    [Fact]
    public void A_chain_is_read_back_as_it_was_written()
    {
        var chain = Chain(Pack());

        Assert.Equal(chain, SealedCausalChain.Read(Derived("d", chain.ToJson()))!.Value);
        Assert.Equal(chain, JsonSerializer.Deserialize<SealedCausalChain>(JsonSerializer.Serialize(chain)));
    }

    [Fact]
    public void The_published_schema_s_form_is_read_too()
    {
        var lineage = JsonNode.Parse("""
            {"originKind": "ClusterPack", "originName": "web", "originNamespace": "ns", "creationRationale": "PackExecution",
             "sealedAt": "2026-03-01T12:00:00Z", "sealedBy": "system:serviceaccount:seam-system:wrapper"}
            """)!;

        var chain = SealedCausalChain.Read(Derived("d", lineage))!.Value!;

        Assert.Equal(("ClusterPack", "web", "ns", "", (DateTimeOffset?)Noon), (chain.RootKind, chain.RootName, chain.RootNamespace, chain.RootUid, chain.SealedAt));
    }

    [Theory]
    [InlineData("""{"rootKind": "ClusterPack"}""", "RootNameNotEmpty,RootUidNotEmpty,CreationRationaleValid")]
    [InlineData("""{"rootKind": "ClusterPack", "rootName": "web", "rootUID": "u", "creationRationale": "Boredom"}""", "CreationRationaleValid")]
    [InlineData("[]", "LineageValid")]
    public void A_malformed_chain_lists_every_failure(string lineage, string checks) =>
        Assert.Equal(checks, string.Join(',', SealedCausalChain.Read(Derived("d", JsonNode.Parse(lineage)!))!.Failures.Select(failure => failure.Check)));

    [Fact]
    public void A_root_that_was_never_stored_seals_nothing() =>
        Assert.Throws<ArgumentException>(() => Chain(KubeObject.Parse("""{"apiVersion":"v1","kind":"X","metadata":{"name":"x"}}"""u8)));

    [Theory]
    [InlineData(null, null, true, "LineageKept")]
    [InlineData(null, "null", true, "LineageKept")]
    [InlineData("""{"a": 1, "b": {"c": 2}}""", """{"b": {"c": 2}, "a": 1}""", true, "LineageKept")]
    [InlineData(null, """{"a": 1}""", false, "LineageAdded")]
    [InlineData("""{"a": 1}""", null, false, "LineageRemoved")]
    [InlineData("""{"a": 1}""", "null", false, "LineageRemoved")]
    [InlineData("""{"a": 1}""", """{"a": 2}""", false, "LineageChanged")]
    [InlineData("""{"a": 1}""", """{"a": 1, "b": 1}""", false, "LineageChanged")]
    public void A_seal_can_be_neither_added_nor_removed_nor_changed(string? before, string? after, bool allowed, string reason)
    {
        var decision = SealedCausalChain.VerifyChange(Sealed(before), Sealed(after));

        Assert.Equal((allowed, reason), (decision.Allowed, decision.Reason));
    }

    [Theory]
    [InlineData("ClusterPack", "web", "clusterpack-web")]
    [InlineData("TalosCluster", "ccs-dev", "taloscluster-ccs-dev")]
    public void An_index_is_named_after_its_root(string kind, string name, string expected) => Assert.Equal(expected, LineageNames.Index(kind, name));

    [Fact]
    public void Names_that_would_be_too_long_stay_different()
    {
        var (left, right) = (LineageNames.Index("ClusterPack", new string('a', 252) + "b"), LineageNames.Index("ClusterPack", new string('a', 252) + "c"));

        Assert.NotEqual(left, right);
        Assert.True(left.Length <= 253 && right.Length <= 253);
    }

    [Fact]
    public void A_recreated_root_gets_an_index_of_its_own_and_inherits_nothing()
    {
        var first = Bind(Pack()).Register(KnownKinds.PackExecution, Derived("d1"), Chain(Pack()), Noon).Index;
        var recreated = Bind(Pack("root-2"));

        var refused = recreated.Register(KnownKinds.PackExecution, Derived("d1"), Chain(Pack()), Noon);

        Assert.Empty(recreated.DescendantsByUid);
        Assert.Equal((false, "OtherRoot"), (refused.Changed, refused.Reason));
        Assert.Equal("clusterpack-web", LineageNames.Index(first.Root, null));
        Assert.Equal("clusterpack-web", LineageNames.Index(first.Root, "root-1"));
        Assert.StartsWith("clusterpack-web-", LineageNames.Index(recreated.Root, "root-1"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("alice@example.org", "alice@example.org")]
    [InlineData("", "system:unknown")]
    [InlineData(null, "system:unknown")]
    public void The_principal_of_a_root_is_who_declared_it(string? stamped, string expected) =>
        Assert.Equal(expected, Bind(Pack(principal: stamped)).Root.DeclaringPrincipal);

    [Fact]
    public void Descendants_are_registered_once_and_only_with_a_UID()
    {
        var once = Bind(Pack()).Register(KnownKinds.PackExecution, Derived("d1"), Chain(Pack()), Noon);
        var twice = once.Index.Register(KnownKinds.PackExecution, Derived("d1"), Chain(Pack()), Noon.AddHours(1));
        var without = once.Index.Register(KnownKinds.PackExecution, Derived(""), Chain(Pack()), Noon);

        Assert.Equal(("Registered", "AlreadyRegistered", "NotADescendant"), (once.Reason, twice.Reason, without.Reason));
        Assert.Same(once.Index, twice.Index);
        var descendant = Assert.Single(once.Index.Descendants);
        Assert.Equal((7L, "alice", "wrapper", Noon), (descendant.RootGenerationAtCreation, descendant.ActorRef, descendant.SeamOperator, descendant.CreatedAt));
    }

    [Fact]
    public void The_first_terminal_outcome_stands()
    {
        var index = Bind(Pack()).Register(KnownKinds.PackExecution, Derived("d1"), Chain(Pack()), Noon).Index;

        var first = index.Conclude(new Outcome("d1", OutcomeType.Failed, Noon, "ApplyFailed", "no"));
        var second = first.Index.Conclude(new Outcome("d1", OutcomeType.Succeeded, Noon.AddHours(1), "Delivered", "yes"));
        var foreign = first.Index.Conclude(new Outcome("d2", OutcomeType.Succeeded, Noon, "Delivered", "yes"));

        Assert.Equal(("Concluded", "AlreadyConcluded", "NotADescendant"), (first.Reason, second.Reason, foreign.Reason));
        Assert.Equal(OutcomeType.Failed, second.Index.OutcomesByUid["d1"].Type);
        Assert.Single(second.Index.Descendants);
    }

    [Theory]
    [InlineData("Ready=False", null)]
    [InlineData("Ready=Unknown", null)]
    [InlineData("", null)]
    [InlineData("Reconciling=True,Ready=False", null)]
    [InlineData("Ready=True", OutcomeType.Succeeded)]
    [InlineData("Ready=False,Failed=True", OutcomeType.Failed)]
    [InlineData("Ready=True,Superseded=True", OutcomeType.Superseded)]
    [InlineData("Drifted=False,Ready=True", OutcomeType.Succeeded)]
    [InlineData("Drifted=True", OutcomeType.Drifted)]
    public void Not_yet_is_no_outcome(string conditions, OutcomeType? expected) =>
        Assert.Equal(expected, OutcomeClassification.Classify("d1", Parse(conditions), Noon)?.Type);

    [Fact]
    public void Principals_are_annotations_and_labels_hold_only_what_labels_may()
    {
        var longName = new string('x', 80);
        var index = Bind(Pack(principal: "system:serviceaccount:ci:deployer"));

        var marks = index.Marks($"clusterpack-{longName}", "wrapper", CreationRationale.PackExecution);

        Assert.Equal("system:serviceaccount:ci:deployer", marks.Annotations["infrastructure.ontai.dev/actor-ref"]);
        Assert.Equal($"clusterpack-{longName}", marks.Annotations["infrastructure.ontai.dev/root-ili"]);
        Assert.DoesNotContain("infrastructure.ontai.dev/actor-ref", marks.Labels.Keys);
        Assert.All(marks.Labels.Values, value => Assert.Matches("^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$", value));
        Assert.Equal(
            ["creation-rationale", "root-ili", "root-ili-namespace", "seam-operator"],
            marks.Labels.Keys.Select(key => key["infrastructure.ontai.dev/".Length..]).Order(StringComparer.Ordinal));
        Assert.Equal(["infrastructure.ontai.dev/actor-ref"], index.Marks("clusterpack-web", "wrapper", CreationRationale.PackExecution).Annotations.Keys);
    }

    [Fact]
    public void The_object_says_what_the_index_knows()
    {
        var index = Bind(Pack())
            .Register(KnownKinds.PackExecution, Derived("d1"), Chain(Pack()), Noon).Index
            .Register(KnownKinds.PackInstance, Derived("d2"), Chain(Pack()), Noon.AddMinutes(1)).Index
            .Conclude(new Outcome("d1", OutcomeType.Succeeded, Noon.AddMinutes(2), "Delivered", "9 objects")).Index;

        var rendered = index.ToObject(index.Name);

        var expected = JsonNode.Parse("""
            {"rootBinding": {"rootKind": "ClusterPack", "rootName": "web", "rootNamespace": "seam-tenant-ccs-dev", "rootUID": "root-1",
              "rootObservedGeneration": 7, "declaringPrincipal": "alice"},
             "domainRef": "infrastructure.core.ontai.dev", "governingOperator": "wrapper",
             "descendantRegistry": [
              {"group": "infra.ontai.dev", "version": "v1alpha1", "kind": "PackExecution", "name": "child", "namespace": "seam-tenant-ccs-dev",
               "uid": "d1", "seamOperator": "wrapper", "creationRationale": "PackExecution", "rootGenerationAtCreation": 7,
               "relationship": "generates", "createdAt": "2026-03-01T12:00:00Z", "actorRef": "alice"},
              {"group": "infra.ontai.dev", "version": "v1alpha1", "kind": "PackInstance", "name": "child", "namespace": "seam-tenant-ccs-dev",
               "uid": "d2", "seamOperator": "wrapper", "creationRationale": "PackExecution", "rootGenerationAtCreation": 7,
               "relationship": "generates", "createdAt": "2026-03-01T12:01:00Z", "actorRef": "alice"}],
             "outcomeRegistry": [{"derivedObjectUID": "d1", "outcomeType": "Succeeded", "outcomeTimestamp": "2026-03-01T12:02:00Z",
               "outcomeRef": "Delivered", "outcomeDetail": "9 objects"}],
             "retentionPolicy": {"descendantRetentionDays": 30, "deleteWithRoot": false}}
            """);
        Assert.True(JsonNode.DeepEquals(expected, JsonNode.Parse(rendered.Spec.GetRawText())), rendered.Spec.GetRawText());
        Assert.Equal(("clusterpack-web", "seam-tenant-ccs-dev"), (rendered.Name, rendered.Namespace));
        Assert.Equal("true", rendered.Annotations["governance.infrastructure.ontai.dev/controller-authored"]);
    }

    internal static LineageIndex Bind(KubeObject root) => LineageIndex.Bind(PackKind, root);

    internal static SealedCausalChain Chain(KubeObject root) =>
        SealedCausalChain.Seal("ClusterPack", root, Wrapper, CreationRationale.PackExecution, "system:governor", Noon.AddMilliseconds(300));

    internal static KubeObject Pack(string uid = "root-1", string? principal = "alice") => KubeObject.From(new JsonObject
    {
        ["apiVersion"] = "infra.ontai.dev/v1alpha1",
        ["kind"] = "ClusterPack",
        ["metadata"] = new JsonObject
        {
            ["name"] = "web",
            ["namespace"] = "seam-tenant-ccs-dev",
            ["uid"] = uid,
            ["generation"] = 7,
            ["annotations"] = principal is null ? [] : new JsonObject { ["infrastructure.ontai.dev/declaring-principal"] = principal },
        },
    });

    internal static KubeObject Derived(string uid, JsonNode? lineage = null) => KubeObject.From(new JsonObject
    {
        ["apiVersion"] = "infra.ontai.dev/v1alpha1",
        ["kind"] = "PackExecution",
        ["metadata"] = new JsonObject { ["name"] = "child", ["namespace"] = "seam-tenant-ccs-dev", ["uid"] = uid, ["generation"] = 2 },
        ["spec"] = new JsonObject { ["lineage"] = lineage },
    });

    private static KubeObject Sealed(string? lineage)
    {
        var spec = new JsonObject();
        if (lineage is not null)
            spec["lineage"] = JsonNode.Parse(lineage);
        return KubeObject.From(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "X", ["spec"] = spec });
    }

    private static ImmutableArray<Condition> Parse(string text) =>
    [
        .. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(entry => entry.Split('='))
            .Select(parts => new Condition(parts[0], Enum.Parse<ConditionStatus>(parts[1]), "Reason", "", Noon)),
    ];
}
