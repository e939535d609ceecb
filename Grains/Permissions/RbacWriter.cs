using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Permissions;

/// <summary>Carries out what is judged about single RBAC objects on one cluster. What may pass by itself is thrown; what may not is an outcome.</summary>
/// <param name="listed">What was there of ours a moment ago; whatever is not in it is asked for.</param>
internal sealed class RbacWriter(ICluster cluster, IReadOnlyDictionary<string, KubeObject> listed)
{
    public async Task<RbacOutcome> WriteAsync(RbacRecord record, RbacObject wanted, CancellationToken cancellation)
    {
        try
        {
            switch (RbacStep.Judge(record, wanted, await LiveAsync(wanted.Id, record, cancellation), FieldManagers.Rbac))
            {
                case RbacStep.Keep(var uid):
                    return Stands(uid, changed: false);
                case RbacStep.Create:
                    return Stands((await CreateAsync(wanted, cancellation)).Uid, changed: true);
                case RbacStep.Apply(var uid, var version):
                    return Stands((await ApplyAsync(wanted, uid, version, cancellation)).Uid, changed: true);
                case RbacStep.Replace(var uid, var version):
                    await cluster.DeleteAsync(record.Kind, record.Key, new DeleteOptions(uid, version), cancellation);
                    return Stands((await CreateAsync(wanted, cancellation)).Uid, changed: true);
                case RbacStep.Leave(var trouble):
                    return new RbacOutcome.Hindered(wanted.Id, trouble, Nothing: trouble.Reason == MaterialisationRules.Conflict);
                case var other:
                    throw new InvalidOperationException($"{wanted.Id} is wanted: expected no {other.GetType().Name}");
            }
        }
        catch (KubernetesException e) when (e.Code == 404 && record.Key.Namespace.Length > 0)
        {
            return new RbacOutcome.Hindered(
                wanted.Id, new RbacTrouble(MaterialisationRules.NamespaceMissing, $"waits for namespace {record.Key.Namespace}"), Nothing: true);
        }
        catch (KubernetesException e) when (e.Code is 400 or 403 or 422)
        {
            return new RbacOutcome.Hindered(wanted.Id, new RbacTrouble(MaterialisationRules.Refused, e.Message), Nothing: false);
        }

        RbacOutcome.Stands Stands(string uid, bool changed) => new(wanted.Id, uid, wanted.Digest, wanted.Summary, changed);
    }

    public async Task<RbacOutcome> WithdrawAsync(string id, RbacRecord record, CancellationToken cancellation)
    {
        try
        {
            switch (RbacStep.Judge(record, null, await LiveAsync(id, record, cancellation), FieldManagers.Rbac))
            {
                case RbacStep.Delete(var uid, var version):
                    await cluster.DeleteAsync(record.Kind, record.Key, new DeleteOptions(uid, version), cancellation);
                    return new RbacOutcome.Gone(id, "removed");
                case RbacStep.Release:
                    await cluster.ApplyAsync(Bare(record), FieldManagers.Rbac, new ApplyOptions(Force: true), cancellation);
                    return new RbacOutcome.Gone(id, "it stays for whoever else uses it, without our marks");
                case RbacStep.Forget(var how):
                    return new RbacOutcome.Gone(id, how);
                case var other:
                    throw new InvalidOperationException($"{id} is not wanted: expected no {other.GetType().Name}");
            }
        }
        catch (KubernetesException e) when (e.Code is 400 or 403 or 422)
        {
            return new RbacOutcome.Hindered(id, new RbacTrouble(MaterialisationRules.Refused, e.Message), Nothing: false);
        }
    }

    private async Task<KubeObject?> LiveAsync(string id, RbacRecord record, CancellationToken cancellation) =>
        listed.TryGetValue(id, out var live) ? live : await cluster.GetAsync(record.Kind, record.Key, cancellation);

    // A create, not an apply: whoever was faster is not written over. Accounts are shared, and merge.
    private Task<KubeObject> CreateAsync(RbacObject wanted, CancellationToken cancellation) => wanted.IsShared
        ? cluster.ApplyAsync(wanted.Intent, FieldManagers.Rbac, new ApplyOptions(Force: true), cancellation)
        : cluster.CreateAsync(wanted.Intent, new WriteOptions(FieldManagers.Rbac), cancellation);

    // The very object that was judged, as it was then.
    private Task<KubeObject> ApplyAsync(RbacObject wanted, string uid, string version, CancellationToken cancellation)
    {
        var intent = wanted.Intent.ToJsonObject();
        intent["metadata"]!["uid"] = uid;
        intent["metadata"]!["resourceVersion"] = version;
        return cluster.ApplyAsync(KubeObject.From(intent), FieldManagers.Rbac, new ApplyOptions(Force: true), cancellation);
    }

    private static KubeObject Bare(RbacRecord record) => KubeObject.From(new JsonObject
    {
        ["apiVersion"] = record.Kind.ApiVersion,
        ["kind"] = record.Kind.Kind,
        ["metadata"] = new JsonObject { ["name"] = record.Key.Name, ["namespace"] = record.Key.Namespace },
    });
}
