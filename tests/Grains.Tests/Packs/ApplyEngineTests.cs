using System.Collections.Immutable;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Packs;
using Governor.Manifests;
using Governor.Sandbox;
using Governor.Sandbox.Faults;
using Governor.Watchers;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Grains.Tests.Packs;

/// <summary>The apply engine alone against a cluster behind a socket.</summary>
public sealed class ApplyEngineTests : IAsyncLifetime
{
    private const string Base = """
        apiVersion: v1
        kind: Namespace
        metadata: { name: web }
        ---
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: { name: sites.web.example.org }
        spec:
          group: web.example.org
          scope: Namespaced
          names: { kind: Site, plural: sites, singular: site, listKind: SiteList }
          versions:
          - name: v1
            served: true
            storage: true
            schema: { openAPIV3Schema: { type: object, x-kubernetes-preserve-unknown-fields: true } }
        ---
        apiVersion: v1
        kind: List
        items:
        - { apiVersion: v1, kind: ConfigMap, metadata: { name: settings, namespace: web }, data: { colour: blue } }
        - { apiVersion: web.example.org/v1, kind: Site, metadata: { name: home, namespace: web } }
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: { name: web, namespace: web }
        spec:
          selector: { matchLabels: { app: web } }
          template:
            metadata: { labels: { app: web } }
            spec: { containers: [{ name: web, image: example.org/web }] }
        ---
        apiVersion: admissionregistration.k8s.io/v1
        kind: ValidatingWebhookConfiguration
        metadata: { name: web }
        webhooks:
        - name: sites.web.example.org
          admissionReviewVersions: [v1]
          sideEffects: None
          clientConfig: { service: { name: web, namespace: web } }
          rules: [{ apiGroups: ["", apps, web.example.org], apiVersions: ["*"], operations: ["*"], resources: ["*"] }]
        """;

    private static readonly PackOwner Web = new(new ObjectKey("seam-tenant-dev", "web-dev"));
    private static readonly PackOwner Other = new(new ObjectKey("seam-tenant-dev", "other-dev"));

    private readonly ServiceProvider _services = new ServiceCollection().AddKubernetes(options => options.ManagementKubeconfig = "unused").BuildServiceProvider();
    private SandboxCluster _cluster = null!;
    private ICluster _target = null!;

    public async Task InitializeAsync()
    {
        _cluster = await SandboxCluster.StartAsync(new SandboxOptions("dev"));
        _target = _services.GetRequiredService<IClusters>().Connect(new ClusterName("dev"), System.Text.Encoding.UTF8.GetBytes(_cluster.Kubeconfig));
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task A_pack_with_a_definition_its_object_and_a_webhook_that_would_block_it_is_delivered_and_again_without_a_change()
    {
        var first = await DeliverAsync(Base, Web, CancellationToken.None);
        // Nobody answers for the webhook here; a real one would run by now.
        await _target.DeleteAsync(first[^1].Answer.Gvk, first[^1].Answer.Key, null, CancellationToken.None);
        var version = _cluster.ResourceVersion;
        var second = await DeliverAsync(Base[..Base.LastIndexOf("---", StringComparison.Ordinal)], Web, CancellationToken.None);

        Assert.All(first, item => Assert.Equal((ApplyOutcome.Created, true), (item.Outcome, item.Created)));
        Assert.Equal(
            ["Namespace", "CustomResourceDefinition", "ConfigMap", "Deployment", "Site", "ValidatingWebhookConfiguration"], first.Select(item => item.Answer.Kind));
        Assert.Equal(version, _cluster.ResourceVersion);
        Assert.All(second, item => Assert.Equal(ApplyOutcome.Unchanged, item.Outcome));
        Assert.Equal(first[..^1].Select(item => item.Answer.Uid), second.Select(item => item.Answer.Uid));
    }

    [Fact]
    public async Task A_delivery_that_dies_after_any_object_is_finished_by_the_next_one_which_still_knows_what_it_made()
    {
        for (var dies = 1; dies <= 5; dies++)
        {
            var text = Base.Replace("web.example.org", $"w{dies}.example.org", StringComparison.Ordinal)
                .Replace("namespace: web", $"namespace: web{dies}", StringComparison.Ordinal).Replace("{ name: web }", $"{{ name: web{dies} }}", StringComparison.Ordinal);
            text = text[..text.LastIndexOf("---", StringComparison.Ordinal)];
            using var death = new CancellationTokenSource();
            var writes = 0;
            // The request is done, and nobody lives to hear its answer.
            _cluster.Faults.Arm(
                r => r.Verb == "patch" && ++writes == dies && Kill(death), new FaultEffect.DropAfter(), count: 1);
            var owner = new PackOwner(new ObjectKey("ns", $"pack{dies}"));
            try
            {
                await DeliverAsync(text, owner, death.Token, rehearse: false);
            }
            catch (Exception e) when (e is OperationCanceledException or KubernetesException)
            {
                // Dead.
            }
            _cluster.Faults.Clear();

            var finished = await DeliverAsync(text, owner, CancellationToken.None, rehearse: false);

            Assert.Equal(5, finished.Length);
            Assert.All(finished, item => Assert.Equal((owner, true), (PackOwner.Of(item.Answer), item.Created)));
        }

        static bool Kill(CancellationTokenSource death)
        {
            death.Cancel();
            return true;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_namespace_that_somebody_else_made_is_never_ours_also_when_he_was_faster_by_a_moment(bool rehearse)
    {
        const string Text = "apiVersion: v1\nkind: Namespace\nmetadata: { name: web, annotations: { infrastructure.ontai.dev/pack-created: seam-tenant-dev/web-dev } }\n";
        var hold = new RequestHold(HoldPoint.BeforeExecution);
        var patches = 0; // the rehearsal is one, too
        _cluster.Faults.Arm(r => r.Verb == "patch" && ++patches > (rehearse ? 1 : 0), new FaultEffect.Hold(hold), count: 1);
        var delivering = DeliverAsync(Text, Web, CancellationToken.None, rehearse);
        await hold.Held;
        // By POST and without a field: nothing on it says that somebody was here.
        await _target.CreateAsync(KubeObject.Parse("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"web"}}"""u8), CancellationToken.None);
        hold.Release();

        var first = Assert.Single(await delivering);
        var second = Assert.Single(await DeliverAsync(Text, Web, CancellationToken.None));

        Assert.Equal((ApplyOutcome.Applied, false), (first.Outcome, first.Created));
        Assert.Equal((ApplyOutcome.Unchanged, false), (second.Outcome, second.Created));
        Assert.Equal(Web, PackOwner.Of(second.Answer));
        var verdict = RemovalPlan.Judge(second.ToDeployed(), second.Answer, Web, RemovalCause.Deletion, "");
        Assert.Equal("ExistedBefore", Assert.IsType<RemovalVerdict.Keep>(verdict).Reason);
    }

    [Theory]
    [InlineData("guardian", true)]
    [InlineData("human", false)]
    public async Task An_account_that_Guardian_made_first_is_as_if_the_pack_had_and_that_of_anybody_else_is_not(string first, bool isOurs)
    {
        const string Account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: web, namespace: default, labels: { a: '1' } }\n";
        var mine = Account.Replace("labels: { a: '1' }", "labels: { b: '2' }", StringComparison.Ordinal);
        await _target.ApplyAsync(ManifestReader.Read(mine, "test").Single(), first, default, CancellationToken.None);

        var account = Assert.Single(await DeliverRbacAsync(Account));

        Assert.Equal((isOurs ? ApplyOutcome.Created : ApplyOutcome.Applied, isOurs), (account.Outcome, account.Created));
        Assert.Equal(isOurs, Web.HasCreated(account.Answer));
    }

    [Fact]
    public async Task An_object_that_was_made_anew_from_a_copy_of_ours_is_somebody_elses()
    {
        var ours = Assert.Single(await DeliverAsync(Config("a", "blue", ns: false).Replace("namespace: web", "namespace: default", StringComparison.Ordinal), Web, CancellationToken.None));
        Assert.True(ours.Created);
        await _target.DeleteAsync(ours.Answer.Gvk, ours.Answer.Key, null, CancellationToken.None);
        var copy = ours.Answer.ToJsonObject();
        foreach (var own in (string[])["uid", "resourceVersion", "managedFields", "creationTimestamp"])
            copy["metadata"]!.AsObject().Remove(own);
        await _target.CreateAsync(KubeObject.From(copy), new WriteOptions("human"), CancellationToken.None);

        var again = Assert.Single(await DeliverAsync(Config("a", "blue", ns: false).Replace("namespace: web", "namespace: default", StringComparison.Ordinal), Web, CancellationToken.None));

        Assert.False(again.Created);
    }

    [Fact]
    public async Task An_object_of_another_pack_is_refused_before_the_first_write()
    {
        await DeliverAsync(Config("a", "blue"), Web, CancellationToken.None);
        var before = _cluster.Writes.Count;

        var refused = await Assert.ThrowsAsync<DeliveryException>(() => DeliverAsync(Config("a", "blue") + "\n---\n" + Config("b", "x", ns: false), Other, CancellationToken.None));

        Assert.Equal(("ObjectOwned", DeliverySteps.Verify), (refused.Failure.Reason, refused.Failure.Step));
        Assert.Contains("pack instance seam-tenant-dev/web-dev", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, _cluster.Writes.Count);
    }

    [Fact]
    public async Task Two_packs_may_live_in_one_namespace_and_neither_takes_the_others_labels()
    {
        await DeliverAsync("apiVersion: v1\nkind: Namespace\nmetadata: { name: web, labels: { a: '1' } }\n", Web, CancellationToken.None);
        var second = await DeliverAsync("apiVersion: v1\nkind: Namespace\nmetadata: { name: web, labels: { b: '2' } }\n", Other, CancellationToken.None);

        var space = (await _target.GetAsync(KnownKinds.Namespace, new ObjectKey("", "web"), CancellationToken.None))!;
        Assert.Equal(("1", "2"), (space.Labels["a"], space.Labels["b"]));
        Assert.Equal(Web, PackOwner.Of(space));
        Assert.False(Assert.Single(second).Created);
    }

    [Fact]
    public async Task A_field_of_somebody_else_is_refused_with_its_owner_and_nothing_is_forced()
    {
        await ApplyAsAsync("human", "red");

        var refused = await Assert.ThrowsAsync<DeliveryException>(() => DeliverAsync(Config("a", "blue"), Web, CancellationToken.None));

        Assert.Equal("FieldConflict", refused.Failure.Reason);
        Assert.Contains("'human' owns .data.colour", refused.Message, StringComparison.Ordinal);
        Assert.Equal("red", (await ConfigAsync()).FindText("data", "colour"));
    }

    [Fact]
    public async Task What_was_applied_under_the_former_field_manager_is_taken_over_with_all_that_it_owned()
    {
        await ApplyAsAsync(PackOwner.FormerManager, "red");

        await DeliverAsync(Config("a", "blue"), Web, CancellationToken.None);

        var live = await ConfigAsync();
        Assert.Equal(("blue", ""), (live.FindText("data", "colour"), live.FindText("data", "old")));
        Assert.DoesNotContain(
            live.Find("metadata", "managedFields").EnumerateArray(), entry => entry.GetProperty("manager").GetString() == PackOwner.FormerManager);
    }

    private static string Config(string name, string colour, bool ns = true) =>
        (ns ? "apiVersion: v1\nkind: Namespace\nmetadata: { name: web }\n---\n" : "")
        + $"apiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: {name}, namespace: web }}\ndata: {{ colour: {colour} }}";

    private async Task ApplyAsAsync(string manager, string colour)
    {
        foreach (var item in ManifestReader.Read(Config("a", colour) + "\n  \n", "test").Select(o => o.Kind == "ConfigMap" ? WithOld(o) : o))
            await _target.ApplyAsync(item, manager, default, CancellationToken.None);

        static KubeObject WithOld(KubeObject item)
        {
            var copy = item.ToJsonObject();
            copy["data"]!["old"] = "1";
            return KubeObject.From(copy);
        }
    }

    private async Task<KubeObject> ConfigAsync() => (await _target.GetAsync(KnownKinds.ConfigMap, new ObjectKey("web", "a"), CancellationToken.None))!;

    private async Task<ImmutableArray<AppliedObject>> DeliverRbacAsync(string text)
    {
        var delivery = new PackDelivery(_target, new DeliveryTerms(Web, new ObjectKey("seam-tenant-dev", "web"), null, 4), new Unasked(), TimeProvider.System);
        var plan = await delivery.PlanAsync([.. ManifestReader.Read(text, "pack").Select(item => (PackLayer.Rbac, item))], isTaken: true, CancellationToken.None);
        return await delivery.PerformAsync(plan, plan.Stages.Single(stage => stage.Step == DeliverySteps.Rbac), DateTimeOffset.UtcNow.AddMinutes(1), CancellationToken.None);
    }

    private async Task<ImmutableArray<AppliedObject>> DeliverAsync(string text, PackOwner owner, CancellationToken cancellation, bool rehearse = true)
    {
        var content = ManifestReader.Read(text, "pack").Select(item => (
            item.Gvk.Group is "apiextensions.k8s.io" or "admissionregistration.k8s.io" ? PackLayer.ClusterScoped : PackLayer.Workload, item)).ToImmutableArray();
        var delivery = new PackDelivery(_target, new DeliveryTerms(owner, new ObjectKey("seam-tenant-dev", "web"), null, 4), new Unasked(), TimeProvider.System);
        var plan = await delivery.PlanAsync(content, isTaken: false, cancellation);
        if (rehearse)
            await delivery.RehearseAsync(plan, cancellation);
        var applied = ImmutableArray.CreateBuilder<AppliedObject>();
        foreach (var stage in plan.Stages)
            applied.AddRange(await delivery.PerformAsync(plan, stage, DateTimeOffset.UtcNow.AddMinutes(1), cancellation));
        return applied.ToImmutable();
    }

    /// <summary>Of packs without RBAC nobody asks.</summary>
    private sealed class Unasked : IRbacIntake
    {
        public Task<ImmutableArray<DeliveryFailure>> JudgeAsync(RbacClaim claim, CancellationToken cancellation) =>
            throw new InvalidOperationException($"there is no RBAC in the pack, but the intake was asked about {claim.Objects.Length} objects");
    }
}
