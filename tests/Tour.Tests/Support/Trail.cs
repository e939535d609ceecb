using System.Text;
using Governor.Domain.Audit;

namespace Governor.Tour.Tests.Support;

/// <summary>The audit trail as a stranger reads it: from a verified export.</summary>
internal sealed class Trail
{
    private Trail(IReadOnlyList<(AuditRecord Record, GovernanceEvent Event)> leaves) => Leaves = leaves;

    public IReadOnlyList<(AuditRecord Record, GovernanceEvent Event)> Leaves { get; }

    public static async Task<Trail> ExportAsync(Landscape landscape)
    {
        var report = await AuditCheck.RunAsync(landscape, CancellationToken.None);
        Assert.True(report.Verified);
        var leaves = File.ReadLines(Path.Combine(landscape.Folder, "audit.export"), Encoding.ASCII)
            .Where(line => line.StartsWith("leaf ", StringComparison.Ordinal))
            .Select(Decode)
            .ToList();
        Assert.Equal(report.TreeSize, leaves.Count);
        return new Trail(leaves);
    }

    /// <summary>Every subject's chain counts 1, 2, 3, … and no commit is in it under two versions.</summary>
    public void CheckDense()
    {
        foreach (var chain in Leaves.GroupBy(l => l.Event.Subject.Chain))
            Assert.Equal(Enumerable.Range(1, chain.Count()).Select(n => (long)n), chain.Select(l => l.Record.Sequence));
        foreach (var commit in Leaves.GroupBy(l => l.Record.Transition.Commit))
            Assert.Single(commit.Select(l => (l.Record.Transition.Subject, l.Record.Transition.Key, l.Record.Transition.Version)).Distinct());
        foreach (var grain in Leaves.GroupBy(l => (l.Record.Transition.Subject, l.Record.Transition.Key, l.Record.Transition.Version)))
            Assert.Single(grain.Select(l => l.Record.Transition.Commit).Distinct());
    }

    private static (AuditRecord, GovernanceEvent) Decode(string line)
    {
        var parts = line.Split(' ');
        Assert.True(AuditRecord.TryDecode(Convert.FromBase64String(parts[3]), out var record, out var fault), fault);
        Assert.True(AuditPayload.TryDecode(Convert.FromBase64String(parts[4]), out var payload, out fault), fault);
        return (record, record.With(payload));
    }
}
