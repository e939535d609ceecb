using System.Diagnostics.CodeAnalysis;
using Governor.Domain.Audit;

namespace Governor.Journal.Recovery;

/// <summary>The leaves of archive files in the order of the log, one at a time.</summary>
internal sealed class ArchivedLeaves : IDisposable
{
    private readonly List<FileStream> _files = [];
    private readonly PriorityQueue<IEnumerator<AuditLeaf>, long> _next = new();

    public ArchivedLeaves(IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
            _files.Add(file);
            Queue(AuditExportReader.Read(file).GetEnumerator());
        }
    }

    public bool TryTakeBefore(long leaf, [NotNullWhen(true)] out AuditLeaf? taken)
    {
        taken = null;
        if (!_next.TryPeek(out var leaves, out var index) || index >= leaf)
            return false;
        taken = leaves.Current;
        _next.Dequeue();
        Queue(leaves);
        return true;
    }

    public void Dispose()
    {
        foreach (var (leaves, _) in _next.UnorderedItems)
            leaves.Dispose();
        foreach (var file in _files)
            file.Dispose();
    }

    private void Queue(IEnumerator<AuditLeaf> leaves)
    {
        if (leaves.MoveNext())
            _next.Enqueue(leaves, leaves.Current.Index);
        else
            leaves.Dispose();
    }
}
