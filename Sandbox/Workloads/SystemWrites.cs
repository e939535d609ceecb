using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;
using Governor.Sandbox.Auth;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Workloads;

/// <summary>How controllers write: as a system user, through the same pipeline as requests.</summary>
internal sealed class SystemWrites
{
    private readonly ClusterCore _core;
    private readonly UserIdentity _user;
    private readonly string _manager;

    /// <param name="account">The service account in kube-system that the controller writes as; the API server itself without one.</param>
    public SystemWrites(ClusterCore core, string manager, string account = "")
    {
        _core = core;
        _manager = manager;
        _user = account.Length > 0 ? UserIdentity.ServiceAccount("kube-system", account, Guid.NewGuid().ToString()) : UserIdentity.Of("system:apiserver", "", ["system:masters"]);
    }

    public async Task CreateAsync(ServedResource resource, string @namespace, JsonObject o)
    {
        if (_core.Store.Current.Find(resource.Id, new ObjectKey(@namespace, o.Metadata().Text("name"))) is null)
            await _core.Writer.CreateAsync(Context(resource, new ObjectKey(@namespace, ""), ""), o);
    }

    public Task StatusAsync(ServedResource resource, ObjectKey key, Action<JsonObject> change) => ChangeAsync(resource, key, "status", o => change(o.ChildOrNew("status")));

    public Task ChangeAsync(ServedResource resource, ObjectKey key, string subresource, Action<JsonObject> change) =>
        _core.Writer.ChangeAsync(Context(resource, key, subresource), o =>
        {
            change(o);
            return o;
        });

    /// <param name="isCollection">One of many: the controller deletes whole collections.</param>
    public Task DeleteAsync(ServedResource resource, ObjectKey key, DeleteOptions? options = null, bool isCollection = false) =>
        _core.Remover.DeleteAsync(Context(resource, key, "") with { IsCollection = isCollection }, options ?? DeleteOptions.Background);

    public ServedResource? Find(ResourceId id) => _core.Kinds.FindAny(id);

    private RequestContext Context(ServedResource resource, ObjectKey key, string subresource) =>
        new(_user, resource, key.Namespace, key.Name, subresource) { FieldManager = _manager, FieldValidation = "Ignore" };
}
