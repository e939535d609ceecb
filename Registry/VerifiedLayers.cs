using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Registry;

/// <summary>
/// The objects of layers whose digests were verified, up to so many bytes; what was used longest ago goes first. By repository too,
/// so that nobody gets through one repository what is only in another.
/// </summary>
internal sealed class VerifiedLayers(long limit)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(string Repository, Digest Manifest), LinkedListNode<Layer>> _layers = [];
    private readonly LinkedList<Layer> _byUse = new();
    private long _bytes;

    public ImmutableArray<KubeObject>? Find(string repository, Digest manifest)
    {
        lock (_gate)
        {
            if (!_layers.TryGetValue((repository, manifest), out var found))
                return null;
            _byUse.Remove(found);
            _byUse.AddLast(found);
            return found.Value.Objects;
        }
    }

    public void Keep(string repository, Digest manifest, ImmutableArray<KubeObject> objects)
    {
        var layer = new Layer((repository, manifest), objects, objects.Sum(o => (long)o.Json.Length));
        if (layer.Bytes > limit)
            return;
        lock (_gate)
        {
            if (_layers.ContainsKey(layer.Key))
                return;
            _layers[layer.Key] = _byUse.AddLast(layer);
            _bytes += layer.Bytes;
            while (_bytes > limit && _byUse.First is { } oldest)
            {
                _byUse.Remove(oldest);
                _layers.Remove(oldest.Value.Key);
                _bytes -= oldest.Value.Bytes;
            }
        }
    }

    private sealed record Layer((string Repository, Digest Manifest) Key, ImmutableArray<KubeObject> Objects, long Bytes);
}
