using Orleans;

namespace Governor.Domain.Clusters;

/// <summary>The name of a governed cluster: the name of its TalosCluster.</summary>
[GenerateSerializer, Immutable]
public readonly record struct ClusterName(string Value)
{
    public override string ToString() => Value;
}
