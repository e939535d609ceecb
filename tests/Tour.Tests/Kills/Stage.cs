using Governor.Sandbox;
using Governor.Sandbox.Faults;
using Governor.Tour.Tests.Support;

namespace Governor.Tour.Tests.Kills;

/// <summary>One write of a delivery: to which object, and the how-manieth to it.</summary>
/// <param name="OnTenant">On the tenant cluster; otherwise on the management cluster.</param>
/// <param name="Item">Verb, resource and object, the tenant's own name left out of it.</param>
internal sealed record Stage(bool OnTenant, string Item, int Number)
{
    private const string Anybody = "{tenant}";

    /// <summary>
    /// A status, or the index that grows, is written as it stands when its turn comes: two changes in quick succession may make one
    /// write. So the first such write is always there, and a later one may be missing in another run.
    /// </summary>
    public bool MayBeMerged => Number > 1;

    /// <summary>The silo's writes for one tenant, numbered for each object; on the tenant itself those of the delivery, not Guardian's.</summary>
    public static IEnumerable<Stage> Of(IEnumerable<SandboxWrite> writes, bool onTenant, string tenant) => writes
        .Where(w => w.User == TestLandscape.SiloUser && (onTenant ? Tenant.IsDelivery(w.FieldManager) : w.Key.ToString().Contains(tenant, StringComparison.Ordinal)))
        .GroupBy(w => ItemOf(w, tenant))
        .SelectMany(item => Enumerable.Range(1, item.Count()).Select(number => new Stage(onTenant, item.Key, number)));

    /// <summary>Whether a request is a write to this stage's object; the numbering is the caller's.</summary>
    public bool Concerns(FaultRequest request, string tenant) =>
        request.User == TestLandscape.SiloUser && !request.IsDryRun && (!OnTenant || Tenant.IsDelivery(request.FieldManager)) && ItemOf(request, tenant) == Item;

    public override string ToString() => $"{(OnTenant ? "tenant    " : "management")} {Item} #{Number}";

    private static string ItemOf(SandboxWrite write, string tenant) =>
        Anonymous($"{(write.Verb == "apply" ? "patch" : write.Verb)} {write.Resource} {write.Key}", tenant);

    private static string ItemOf(FaultRequest request, string tenant)
    {
        var parts = request.Resource.Split('/', 2);
        var plural = request.Group.Length == 0 ? parts[0] : $"{parts[0]}.{request.Group}";
        var resource = parts.Length == 1 ? plural : $"{plural}/{parts[1]}";
        var isNamespaced = request.Namespace.Length > 0 && resource != "namespaces";
        return Anonymous($"{request.Verb} {resource} {(isNamespaced ? $"{request.Namespace}/" : "")}{request.Name}", tenant);
    }

    private static string Anonymous(string text, string tenant) => text.Replace(tenant, Anybody, StringComparison.Ordinal);
}
