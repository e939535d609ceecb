using Governor.Domain.Kinds.Schemas;

namespace Governor.Sandbox.Tests.Schema;

/// <summary>The definitions of the governed kinds: accepted as a whole, and enforced.</summary>
public sealed class KindDefinitionTests : ClusterFixture
{
    [Fact]
    public async Task Every_definition_is_accepted_and_served()
    {
        foreach (var definition in CrdGenerator.Objects())
        {
            var answer = await Admin.PostAsync(Definitions, Text(definition.Json));
            Assert.True(answer.Code == 201, $"{definition.Name}: {answer.Message}");
        }
        await Cluster.IdleAsync();

        foreach (var definition in CrdGenerator.Objects())
            Assert.Equal(("True", "True"), await ConditionsAsync(definition.Name));
    }

    /// <summary>A kind, an object of it that is welcome, a change, and what the API server says to the change; "" where it is welcome too.</summary>
    public static TheoryData<string, string, string, string> Changes => new()
    {
        { "clusterpacks.infra.ontai.dev", Pack, """{"version":"v2.0.0-r1"}""", "version is immutable" },
        { "clusterpacks.infra.ontai.dev", Pack, """{"checksum":"sha256:2"}""", "checksum can be neither added nor removed" },
        { "clusterpacks.infra.ontai.dev", Pack, """{"targetClusters":["a"]}""", "" },
        { "driftsignals.runner.ontai.dev", Signal, """{"state":"pending"}""", "state goes forward only" },
        { "driftsignals.runner.ontai.dev", Signal, """{"state":"confirmed"}""", "" },
        { "driftsignals.runner.ontai.dev", Signal, """{"state":"pending","escalationCounter":2}""", "" },
        { "infrastructurelineageindices.infrastructure.ontai.dev", Index, """{"descendantRegistry":[]}""", "descendantRegistry only ever grows" },
        { "infrastructurelineageindices.infrastructure.ontai.dev", Index, """{"outcomeRegistry":[{"derivedObjectUID":"u","outcomeType":"Succeeded","outcomeTimestamp":"2026-01-01T00:00:00Z"}]}""", "outcomeType is immutable" },
        { "pkirotations.platform.ontai.dev", """{"clusterRef":{"name":"a"}}""", """{"clusterRef":{"name":"b"}}""", "clusterRef is immutable" },
        { "clusterresets.platform.ontai.dev", """{"clusterRef":{"name":"a"}}""", """{"wipeDisks":true}""", "wipeDisks is immutable" },
        { "nodeoperations.platform.ontai.dev", """{"clusterRef":{"name":"a"},"operation":"reboot"}""", """{"operation":"decommission","targetNodeIP":"10.0.0.1"}""", "operation is immutable" },
        { "hardeningprofiles.platform.ontai.dev", """{"description":"x"}""", """{"lineage":{"originKind":"a","originName":"a","originNamespace":"a","creationRationale":"ClusterProvision","sealedAt":"2026-01-01T00:00:00Z","sealedBy":"a"}}""", "lineage can be neither added nor removed" },
    };

    /// <summary>A kind, a spec of it, and what the API server says to it; "" where it is welcome.</summary>
    public static TheoryData<string, string, string> Specs => new()
    {
        { "nodeoperations.platform.ontai.dev", """{"clusterRef":{"name":"a"},"operation":"scale-up"}""", "replicaCount is required" },
        { "nodeoperations.platform.ontai.dev", """{"clusterRef":{"name":"a"},"operation":"dance"}""", "Unsupported value" },
        { "nodeoperations.platform.ontai.dev", """{"operation":"reboot"}""", "spec.clusterRef: Required value" },
        { "nodeoperations.platform.ontai.dev", """{"clusterRef":{"name":"a"},"operation":"reboot","performWipe":true}""", "performWipe is allowed only" },
        { "nodemaintenances.platform.ontai.dev", """{"clusterRef":{"name":"a"},"operation":"credential-rotate"}""", "rotateServiceAccountKeys or" },
        { "upgradepolicies.platform.ontai.dev", """{"clusterRef":{"name":"a"},"upgradeType":"stack","targetTalosVersion":"v1.9.3"}""", "targetKubernetesVersion is required" },
        { "upgradepolicies.platform.ontai.dev", """{"clusterRef":{"name":"a"},"upgradeType":"talos","targetTalosVersion":"v1.9.3"}""", "" },
        { "etcdmaintenances.platform.ontai.dev", """{"clusterRef":{"name":"a"},"operation":"restore"}""", "s3SnapshotPath is required" },
        { "packbuilds.infra.ontai.dev", """{"componentName":"a","category":"helm","rawSource":{"path":"."}}""", "helmSource goes with category helm" },
        { "talosetcdbackupschedules.platform.ontai.dev", """{"clusterRef":{"name":"a"},"schedule":"daily","s3Destination":{"bucket":"b"}}""", "spec.schedule" },
        { "domainrelationships.core.ontai.dev", Relationship("SnapshotBinding", "Stable"), "boundAt is required" },
        { "domainrelationships.core.ontai.dev", Relationship("ContinuousBinding", "Stable"), "constraintDeclaration is required" },
        { "domainrelationships.core.ontai.dev", Relationship("ContinuousBinding", "Diverged"), "only a SnapshotBinding is ever Diverged" },
        { "appprofiles.app.ontai.dev", Profile("""{"name":"ScopeEstablishment","order":1}"""), "all eight phases are declared" },
        { "appprofiles.app.ontai.dev", Profile("""{"name":"ScopeEstablishment","order":1},{"name":"IdentityRegistration","order":1}"""), "only parallel phases may share an order" },
        { "apppolicies.app.ontai.dev", """{"appIdentityRef":{"group":"core.ontai.dev","kind":"AppIdentity","version":"v1alpha1","name":"a"}}""", "Unsupported value" },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public async Task A_change_that_a_rule_forbids_is_refused(string crd, string spec, string change, string refusal)
    {
        var (path, kind) = await ServeAsync(crd);
        Assert.Equal(201, (await CreateAsync(path, kind, spec)).Code);

        var answer = await Admin.MergeAsync($"{path}/one", $$"""{"spec":{{change}}}""");

        AssertAnswer(answer, 200, refusal);
    }

    [Theory]
    [MemberData(nameof(Specs))]
    public async Task A_spec_that_a_rule_forbids_is_refused(string crd, string spec, string refusal)
    {
        var (path, kind) = await ServeAsync(crd);

        AssertAnswer(await CreateAsync(path, kind, spec), 201, refusal);
    }

    [Fact]
    public async Task A_control_plane_scales()
    {
        var (path, kind) = await ServeAsync("taloscontrolplanes.platform.ontai.dev");
        await CreateAsync(path, kind, """{"replicas":1}""");

        var scaled = await Admin.MergeAsync($"{path}/one/scale", """{"spec":{"replicas":3}}""");

        Assert.Equal(200, scaled.Code);
        Assert.Equal(3, (await Admin.GetAsync($"{path}/one")).Json["spec"]!["replicas"]!.GetValue<int>());
    }

    private const string Pack = """{"version":"v1.0.0-r1","registryRef":{"url":"r","digest":"sha256:1"}}""";

    private const string Signal = """
        {"state":"queued","correlationID":"c","observedAt":"2026-01-01T00:00:00Z","driftReason":"r","escalationCounter":1,"affectedCRRef":{"group":"g","kind":"K","name":"n"}}
        """;

    private const string Index = """
        {"rootBinding":{"rootKind":"K","rootName":"n","rootNamespace":"ns","rootUID":"u","rootObservedGeneration":1},
        "descendantRegistry":[{"group":"g","version":"v","kind":"K","name":"n","namespace":"ns","uid":"u","seamOperator":"wrapper","creationRationale":"PackExecution","rootGenerationAtCreation":1}],
        "outcomeRegistry":[{"derivedObjectUID":"u","outcomeType":"Failed","outcomeTimestamp":"2026-01-01T00:00:00Z"}]}
        """;

    private static string Relationship(string type, string state) => $$"""
        {"sourceIdentity":"guardian","targetIdentity":"*","relationshipType":"governs","bindingStability":{"bindingType":"{{type}}","bindingState":"{{state}}"} }
        """;

    private static string Profile(string phases) => $$"""
        {"appBoundaryRef":{{Ref("AppBoundary")}},"appIdentityRef":{{Ref("AppIdentity")}},"phaseModel":{"phases":[{{phases}}]} }
        """;

    private static string Ref(string kind) => $$"""{"group":"app.ontai.dev","kind":"{{kind}}","version":"v1alpha1","name":"a"}""";

    private async Task<(string Path, string Kind)> ServeAsync(string name)
    {
        var definition = CrdGenerator.Objects().Single(crd => crd.Name == name);
        Assert.Equal(201, (await Admin.PostAsync(Definitions, Text(definition.Json))).Code);
        await Cluster.IdleAsync();
        var group = definition.FindText("spec", "group");
        return ($"/apis/{group}/v1alpha1/namespaces/default/{definition.FindText("spec", "names", "plural")}",
            $"\"apiVersion\":\"{group}/v1alpha1\",\"kind\":\"{definition.FindText("spec", "names", "kind")}\"");
    }

    private Task<Answer> CreateAsync(string path, string kind, string spec) =>
        Admin.PostAsync(path, "{" + kind + ",\"metadata\":{\"name\":\"one\"},\"spec\":" + spec + "}");

    private static void AssertAnswer(Answer answer, int welcome, string refusal)
    {
        if (refusal.Length == 0)
            Assert.True(answer.Code == welcome, answer.Message);
        else
        {
            Assert.Equal(422, answer.Code);
            Assert.Contains(refusal, answer.Message, StringComparison.Ordinal);
        }
    }

    private async Task<(string?, string?)> ConditionsAsync(string name)
    {
        var made = await Admin.GetAsync($"{Definitions}/{name}");
        return (Condition(made, "NamesAccepted"), Condition(made, "Established"));
    }

    private static string Text(ReadOnlyMemory<byte> json) => System.Text.Encoding.UTF8.GetString(json.Span);
}
