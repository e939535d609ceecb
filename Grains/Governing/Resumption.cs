using System.Collections.Immutable;
using Governor.Domain.Facts;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Grains.Governing;

/// <summary>Which actors a silo wakes when it starts.</summary>
public static class Resumption
{
    /// <summary>
    /// Subjects whose actors look at the clock, or ask somebody who tells nothing by himself: a cluster that did not answer when the last
    /// silo ended. They owe nothing, and the streams go on where they were and tell nothing of them: nobody else would wake them.
    /// </summary>
    private static readonly ImmutableArray<string> Clocked =
        [Subjects.Approval, Subjects.Bootstrap, Subjects.Cluster, Subjects.IdentityProvider, Subjects.Permission, Subjects.Rbac, Subjects.Receipt];

    /// <summary>Those that owe something, oldest first, and those that look at the clock.</summary>
    public static async Task<IReadOnlyList<GrainKey>> FirstAsync(IJournal journal, CancellationToken cancellation)
    {
        var pending = await journal.PendingAsync(cancellation);
        var clocked = await Task.WhenAll(Clocked.Select(subject => journal.ListAsync(subject, cancellation)));
        return [.. pending.Union(clocked.SelectMany(states => states).Select(state => state.Grain))];
    }
}
