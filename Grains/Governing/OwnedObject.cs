using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Governing;

/// <summary>
/// Writes what an actor owns on the management cluster — objects and statuses — by server-side apply, and remembers what it wrote,
/// so that the same thing is not written twice by one activation.
/// </summary>
public sealed class OwnedObject(ICluster management)
{
    private readonly Dictionary<(GroupVersionKind, ObjectKey, bool Status), string> _written = [];

    public async Task ApplyAsync(KubeObject intent, string fieldManager, CancellationToken cancellation)
    {
        var content = System.Text.Encoding.UTF8.GetString(intent.Json.Span);
        if (_written.GetValueOrDefault((intent.Gvk, intent.Key, false)) == content)
            return;
        await management.ApplyAsync(intent, fieldManager, new ApplyOptions(Force: true), cancellation);
        _written[(intent.Gvk, intent.Key, false)] = content;
    }

    /// <summary>An object that is gone meanwhile has no status to write; its actor learns of that from its watch.</summary>
    public async Task ApplyStatusAsync(GroupVersionKind kind, ObjectKey key, JsonObject status, string fieldManager, CancellationToken cancellation)
    {
        var content = status.ToJsonString();
        if (_written.GetValueOrDefault((kind, key, true)) == content)
            return;
        try
        {
            await management.ApplyStatusAsync(kind, key, status, fieldManager, cancellation);
        }
        catch (KubernetesException e) when (e is { Code: 404, Reason: "NotFound" })
        {
            return;
        }
        _written[(kind, key, true)] = content;
    }

    /// <summary>Forgets what was written, so that it is written again: somebody else may have changed it.</summary>
    public void Forget(GroupVersionKind kind, ObjectKey key)
    {
        _written.Remove((kind, key, true));
        _written.Remove((kind, key, false));
    }
}
