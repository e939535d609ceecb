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

    public SystemWrites(ClusterCore core, string manager)
    {
        _core = core;
        _manager = manager;
        _user = UserIdentity.Of($"system:{manager}", "", ["system:masters"]);
    }

    public void Create(ServedResource resource, string @namespace, JsonObject o)
    {
        if (_core.Store.Current.Find(resource.Id, new ObjectKey(@namespace, o.Metadata().Text("name"))) is null)
            _core.Writer.Create(Context(resource, new ObjectKey(@namespace, ""), ""), o);
    }

    public void Status(ServedResource resource, ObjectKey key, Action<JsonObject> change) => Change(resource, key, "status", o => change(o.ChildOrNew("status")));

    public void Change(ServedResource resource, ObjectKey key, string subresource, Action<JsonObject> change) =>
        _core.Writer.Change(Context(resource, key, subresource), o =>
        {
            change(o);
            return o;
        });

    public void Delete(ServedResource resource, ObjectKey key, DeleteOptions? options = null) =>
        _core.Remover.Delete(Context(resource, key, ""), options ?? DeleteOptions.Background);

    public ServedResource? Find(ResourceId id) => _core.Kinds.FindAny(id);

    private RequestContext Context(ServedResource resource, ObjectKey key, string subresource) =>
        new(_user, resource, key.Namespace, key.Name, subresource) { FieldManager = _manager, FieldValidation = "Ignore" };
}
