using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>What the files have together for the next place in the log.</summary>
internal enum TrailItem
{
    /// <summary>The leaf that was asked for is in <see cref="MergedTrail.Holders"/>.</summary>
    Leaf,

    /// <summary>The first of the holders has a checkpoint of at most this size.</summary>
    Checkpoint,

    /// <summary>All files ended as they should.</summary>
    End,

    /// <summary>There is no way on, see <see cref="MergedTrail.Fault"/>.</summary>
    Fault,
}

/// <summary>
/// The files of a trail, merged by leaf index in one pass: at any time the present line of each is in memory and no more. The same
/// leaf may be in several files.
/// </summary>
internal sealed class MergedTrail(IReadOnlyList<Stream> files) : IDisposable
{
    private readonly ExportFile[] _files = [.. files.Select((stream, number) => new ExportFile(stream, number))];
    private readonly List<ExportFile> _holders = new(files.Count);

    /// <summary>The files that have the present item; for a leaf those with its payload first.</summary>
    public IReadOnlyList<ExportFile> Holders => _holders;

    public AuditFault? Fault { get; private set; }

    /// <summary>The fault may be that a file was not given, or not to its end.</summary>
    public bool FaultIsIncomplete { get; private set; }

    public VerifierKey? Key => _files[0].Key;

    /// <summary>One of the files claims to reach to the end of the log.</summary>
    public bool ReachesTheEnd => _files.Any(file => file.Span.Kind != AuditSpanKind.Archive);

    public void Dispose()
    {
        foreach (var file in _files)
            file.Dispose();
    }

    /// <summary>Reads the headers, which must agree; false with a fault.</summary>
    public bool Begin()
    {
        foreach (var file in _files)
        {
            file.Begin();
            if (file.Key is null)
                return Fail(file.Finding, -1, file, incomplete: file.At == ExportItem.Cut);
            if (file.Key.Name != file.Origin)
                return Fail(new Finding(AuditFaultClass.WrongOrigin, $"the key is named '{file.Key.Name}', the log '{file.Origin}'"), -1, file);
            if (file.Origin != _files[0].Origin)
                return Fail(new Finding(AuditFaultClass.WrongOrigin, $"the first file is of the log '{_files[0].Origin}', this one of '{file.Origin}'"), -1, file);
            if (!file.Key.Equals(Key))
                return Fail(new Finding(AuditFaultClass.WrongKey, $"the first file names the first key {Key}, this one {file.Key}"), -1, file);
        }
        return true;
    }

    /// <summary>Goes on to what belongs behind the first <paramref name="size"/> leaves.</summary>
    public TrailItem Next(long size)
    {
        foreach (var holder in _holders)
            holder.Advance();
        _holders.Clear();
        var ended = 0;
        foreach (var file in _files)
        {
            if (file.At == ExportItem.Bad && file.Next <= size)
                return NoWayOn(file.Finding, size, file);
            if (file.At == ExportItem.Checkpoint && file.Checkpoint!.Size <= size)
            {
                _holders.Clear();
                _holders.Add(file);
                return TrailItem.Checkpoint;
            }
            if (file.At == ExportItem.Leaf && file.Index == size)
                Hold(file);
            else if (file.At == ExportItem.End)
                ended++;
        }
        return _holders.Count > 0 ? TrailItem.Leaf : ended == _files.Length ? TrailItem.End : Explain(size);
    }

    /// <summary>
    /// Whether a leaf that answers <paramref name="predicate"/> comes later in any of the files. Reads them to their ends: for
    /// telling what kind of fault it is.
    /// </summary>
    public bool ComesLater(Predicate<ExportFile> predicate) =>
        _files.Any(file =>
        {
            var found = file.At == ExportItem.Leaf && !_holders.Contains(file) && predicate(file);
            while (!found && file.SkipToLeaf())
                found = predicate(file);
            return found;
        });

    private void Hold(ExportFile file)
    {
        var first = !file.IsErased && _holders.Count > 0 && _holders[0].IsErased;
        _holders.Insert(first ? 0 : _holders.Count, file);
    }

    /// <summary>Why no file has the leaf.</summary>
    private TrailItem Explain(long missing)
    {
        if (Array.Find(_files, file => file.At == ExportItem.Bad) is { } bad)
            return NoWayOn(bad.Finding, bad.Next, bad);
        var whole = Array.Find(_files, file => file.Span.Kind == AuditSpanKind.Whole && file.At is ExportItem.Leaf or ExportItem.Checkpoint);
        if (whole is { At: ExportItem.Checkpoint })
            return NoWayOn(new Finding(AuditFaultClass.Truncated, $"the checkpoint covers {whole.Checkpoint!.Size} leaves, {missing} are before it"), missing, whole);
        var next = _files.Where(file => file.At == ExportItem.Leaf).Select(file => file.Index)
            .Concat(_files.Where(file => file.At == ExportItem.Checkpoint).Select(file => file.Checkpoint!.Size))
            .DefaultIfEmpty(missing + 1).Min();
        var cut = Array.Find(_files, file => file.At == ExportItem.Cut);
        if (ComesLater(file => file.Index == missing))
            return NoWayOn(new Finding(AuditFaultClass.Reordered, $"expected leaf {missing}, found leaf {next}; {missing} comes later"), missing, whole);
        if (whole is not null)
            return NoWayOn(new Finding(AuditFaultClass.SequenceGap, $"expected leaf {missing}, found leaf {next}; {missing} is missing"), missing, whole);
        if (Array.Find(_files, file => file.IsMiscounted) is { } miscounted)
            return NoWayOn(new Finding(AuditFaultClass.SequenceGap, $"leaf {missing} is in none of the files, and this one does not have as many leaves as it says"), missing, miscounted);
        if (cut is not null)
            return NoWayOn(cut.Finding, missing, cut, incomplete: true);
        var range = next - missing == 1 ? $"leaf {missing} is" : $"the leaves {missing} to {next - 1} are";
        Fail(new Finding(AuditFaultClass.SequenceGap, $"{range} in none of the {(_files.Length == 1 ? "files: the rest of the log is needed, too" : "files")}"), missing, null, true, next);
        return TrailItem.Fault;
    }

    private TrailItem NoWayOn(Finding finding, long index, ExportFile? file, bool incomplete = false)
    {
        Fail(finding, index, file, incomplete);
        return TrailItem.Fault;
    }

    private bool Fail(Finding finding, long index, ExportFile? file, bool incomplete = false, long? until = null)
    {
        Fault = new AuditFault(finding.Class, index, until ?? index + 1, finding.Detail) { File = file?.Number };
        FaultIsIncomplete = incomplete;
        return false;
    }
}
