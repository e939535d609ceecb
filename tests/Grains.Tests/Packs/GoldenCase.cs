using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Approvals;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Signing;
using Governor.Grains.Interfaces;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Tests.Support;
using Governor.Manifests;
using Governor.Registry;
using Governor.Sandbox;
using Governor.Sandbox.Faults;

namespace Governor.Grains.Tests.Packs;

/// <summary>
/// One folder of <c>Cases/</c>, played: every document of <c>given.yaml</c> is a step, and what the actors decided on it is written down.
/// </summary>
/// <remarks>
/// A step is a document of <c>apiVersion: case</c>; its kind is one of the methods below. Anything else is applied to the management
/// cluster as it is. After every step the actors come to rest before the next one.
/// </remarks>
internal sealed class GoldenCase(Bed bed, string registry, SigningKey key, string source)
{
    public const string Tenant = "ccs-dev";
    public const string Ns = $"seam-tenant-{Tenant}";

    private readonly Dictionary<string, RequestHold> _holds = [];
    private readonly GoldenTranscript _transcript = new(bed, registry);

    public async Task<(string Transcript, string Then)> PlayAsync(string given)
    {
        _transcript.Heading(given);
        foreach (var step in ManifestReader.Read(given, source))
        {
            try
            {
                await DoAsync(step);
                if (_holds.Count == 0) // nobody comes to rest who is kept waiting
                    await bed.Commits.QuietAsync();
            }
            catch (TimeoutException e)
            {
                _transcript.Step($"{Describe(step)} did not come", tells: true);
                throw new InvalidOperationException($"{_transcript}\n{e.Message[..Math.Min(e.Message.Length, 500)]}", e);
            }
            _transcript.Step(Describe(step), tells: _holds.Count == 0 && step is { ApiVersion: "case", Kind: "Await" or "Abandon" });
        }
        return (_transcript.ToString(), await GoldenOutcome.OfAsync(bed, registry));
    }

    private Task DoAsync(KubeObject step) => step.ApiVersion != "case"
        ? bed.Client.ApplyAsync(step, "human", default, CancellationToken.None)
        : step.Kind switch
        {
            "Pack" => DeclareAsync(step),
            "Change" => ChangeAsync(step),
            "Delete" => bed.DeleteAsync(KindOf(step.FindText("spec", "kind")), new ObjectKey(Ns, step.Name)),
            "Await" => AwaitAsync(step),
            "Decided" => bed.Commits.UntilDecidedAsync(step.Name),
            "Tenant" => TenantAsync(step),
            "Hold" => HoldAsync(step),
            "Reached" => _holds[step.Name].Held.WaitAsync(TimeSpan.FromSeconds(60)),
            "Release" => ReleaseAsync(step.Name),
            "Away" => bed.Tenants[Tenant].GoAwayAsync(),
            "Back" => bed.Tenants[Tenant].ComeBackAsync(),
            "RevokeKey" => RevokeAsync(step.FindText("spec", "why")),
            "Abandon" => AbandonAsync(step),
            "Restart" => RestartAsync(),
            _ => throw new FormatException($"{source}: no such step: {step.Kind}"),
        };

    /// <summary>A ClusterPack whose content is pushed first. The same content under another version is another pack.</summary>
    private async Task DeclareAsync(KubeObject step)
    {
        using var client = new OciClient(new RegistryOptions());
        var version = step.FindText("spec", "version");
        var objects = ManifestReader.Read(step.FindText("spec", "content"), source);
        var rbac = objects.Where(item => item.Gvk == KnownKinds.ServiceAccount || item.Gvk.Group == KnownKinds.Role.Group).ToList();
        var layer = await PushAsync(PackLayerKind.Workload, [.. objects.Except(rbac)]);
        var spec = new JsonObject
        {
            ["version"] = version,
            ["registryRef"] = new JsonObject { ["url"] = $"{registry}/packs/web", ["digest"] = layer.Value },
            ["workloadDigest"] = layer.Value,
            ["basePackName"] = "web",
            ["targetClusters"] = new JsonArray(Tenant),
            ["lifecyclePolicies"] = new JsonObject { ["retainOnDeletion"] = step.Find("spec", "retainOnDeletion").ValueKind != JsonValueKind.False },
        };
        if (rbac.Count > 0)
            spec["rbacDigest"] = (await PushAsync(PackLayerKind.Rbac, rbac)).Value;
        await bed.Client.ApplyAsync(
            KubeObject.From(new JsonObject
            {
                ["apiVersion"] = KnownKinds.ClusterPack.ApiVersion,
                ["kind"] = KnownKinds.ClusterPack.Kind,
                ["metadata"] = new JsonObject { ["name"] = step.Name, ["namespace"] = Ns },
                ["spec"] = spec,
            }),
            "human", default, CancellationToken.None);

        Task<Digest> PushAsync(PackLayerKind kind, IReadOnlyList<KubeObject> content) => new PackPublisher(client).PublishAsync(
            RepositoryName.Parse($"{registry}/packs/web"), PreparedLayer.Of(kind, content), kind == PackLayerKind.Workload ? version : null, CancellationToken.None);
    }

    /// <summary>Merges a patch into an object of the tenant's namespace.</summary>
    private async Task ChangeAsync(KubeObject step) => await bed.Client.MergePatchAsync(
        KindOf(step.FindText("spec", "kind")), new ObjectKey(Ns, step.Name), JsonNode.Parse(step.Find("spec", "patch").GetRawText())!.AsObject(), "human", CancellationToken.None);

    private async Task AwaitAsync(KubeObject step)
    {
        var kind = KindOf(step.FindText("spec", "kind"));
        var gone = step.Find("spec", "gone").ValueKind == JsonValueKind.True;
        var at = new ObjectKey(Ns, step.Name);
        if (gone)
            await bed.GoneAsync(kind, at);
        else
            await bed.SeenAsync(kind, at, item => Holds(item, step), step.Find("spec").GetRawText());
    }

    private static bool Holds(KubeObject item, KubeObject step)
    {
        var condition = Conditions.Of(item).Find(step.FindText("spec", "condition") is { Length: > 0 } type ? type : Conditions.Ready);
        return (step.FindText("spec", "reason") is not { Length: > 0 } reason || condition?.Reason == reason)
            && (step.FindText("spec", "status") is not { Length: > 0 } status || condition?.Status.ToString() == status)
            && (step.FindText("spec", "version") is not { Length: > 0 } version || item.FindText("spec", "version") == version)
            && (step.FindText("spec", "phase") is not { Length: > 0 } phase || item.FindText("status", "phase") == phase)
            && (step.Find("spec", "revision") is not { ValueKind: JsonValueKind.Number } revision
                || (item.Find("status", "revision") is { ValueKind: JsonValueKind.Number } found && found.GetInt64() == revision.GetInt64()));
    }

    /// <summary>Somebody else acts on the tenant.</summary>
    private async Task TenantAsync(KubeObject step)
    {
        foreach (var item in ManifestReader.Read(step.FindText("spec", "apply"), source))
            await bed.Tenant(Tenant).ApplyAsync(item, "somebody", new ApplyOptions(Force: true), CancellationToken.None);
        foreach (var item in ManifestReader.Read(step.FindText("spec", "delete"), source))
            await bed.Tenant(Tenant).DeleteAsync(item.Gvk, item.Key, null, CancellationToken.None);
    }

    /// <summary>The next request of a kind is kept, so that something can happen meanwhile.</summary>
    private Task HoldAsync(KubeObject step)
    {
        var hold = new RequestHold(HoldPoint.BeforeExecution);
        var (verb, resource) = (step.FindText("spec", "verb"), step.FindText("spec", "resource"));
        var cluster = step.FindText("spec", "cluster") == "management" ? bed.Management : bed.Tenants[Tenant];
        cluster.Faults.Arm(r => r.Verb == verb && r.Resource == resource, new FaultEffect.Hold(hold));
        _holds[step.Name] = hold;
        return Task.CompletedTask;
    }

    private Task ReleaseAsync(string name)
    {
        _holds[name].Release();
        _holds.Remove(name);
        return Task.CompletedTask;
    }

    private async Task RevokeAsync(string why) => await bed.Client.MergePatchAsync(
        KnownKinds.Secret, SigningKeyRules.Secret,
        new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [SigningKeyRules.RevokedPrefix + key.VerifyingKey.ShortKeyId] = why } } },
        "human", CancellationToken.None);

    /// <summary>One asks, another approves what is pending now.</summary>
    private async Task AbandonAsync(KubeObject step)
    {
        var state = bed.Commits.Of(Subjects.Instance, $"{Ns}/{step.Name}")[^1].As<InstanceState>();
        var plan = AbandonPlan.Of(state.Key, Tenant, state.Removal!, step.FindText("spec", "reason")).ToJson();
        var approval = bed.Grains.GetGrain<IApprovalGrain>("abandonment-1");
        Assert.Null(await approval.RequestAsync(new ApprovalDraft(AbandonPlan.Action, plan, new Caller("ann", []), step.FindText("spec", "reason"))));
        Assert.Null(await approval.RuleAsync(new ApprovalRuling(ApprovalVerdict.Approve, new Caller("bob", []), "seen it", Plans.DigestOf(plan))));
        await bed.Commits.UntilAsync<ApprovalState>(Subjects.Approval, "abandonment-1", a => a.Phase is ApprovalPhase.Executed or ApprovalPhase.Failed, "carried out");
    }

    private async Task RestartAsync()
    {
        await bed.StopSiloAsync();
        await bed.StartSiloAsync();
        await bed.ResumeAsync();
        await GoldenTests.WatchAsync(bed);
    }

    private static GroupVersionKind KindOf(string name) =>
        KindTable.Default.Kinds.FirstOrDefault(kind => kind.Gvk.Kind == name)?.Gvk ?? throw new FormatException($"no such kind: {name}");

    private static string Describe(KubeObject step)
    {
        var text = new StringBuilder(step.ApiVersion == "case" ? step.Kind : $"Declare {step.Kind}");
        text.Append($" {step.Name}");
        if (step.ApiVersion == "case" && step.Spec.ValueKind == JsonValueKind.Object)
            foreach (var field in step.Spec.EnumerateObject().Where(field => field.Name is not ("content" or "apply" or "delete")))
                text.Append($", {field.Name}: {field.Value.GetRawText().Trim('"')}");
        if (step.Annotations.GetValueOrDefault("says") is { Length: > 0 } says)
            text.Append($" -- {says}");
        return text.ToString();
    }
}
