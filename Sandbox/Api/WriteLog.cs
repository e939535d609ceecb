using System.Collections.Immutable;

namespace Governor.Sandbox.Api;

/// <summary>The successful mutating requests, in the order of their completion.</summary>
internal sealed class WriteLog
{
    private readonly Lock _gate = new();
    private ImmutableList<SandboxWrite> _writes = [];

    public IReadOnlyList<SandboxWrite> All => _writes;

    public void Add(SandboxWrite write)
    {
        lock (_gate)
            _writes = _writes.Add(write with { Sequence = _writes.Count + 1 });
    }
}
