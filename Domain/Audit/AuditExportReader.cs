using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>A leaf as a file has it.</summary>
/// <param name="Payload">Null when it was erased.</param>
public sealed record AuditLeaf(long Index, byte[] Record, byte[]? Payload);

/// <summary>Reads the leaves of a file one by one, for whoever compares them with something. Verifies nothing but the format.</summary>
public static class AuditExportReader
{
    /// <exception cref="InvalidDataException">The file is not of the format, or ends too early; says where and what was expected.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static IEnumerable<AuditLeaf> Read(Stream stream)
    {
        using var file = new ExportFile(stream, 0);
        for (file.Begin(); file.At is ExportItem.Leaf or ExportItem.Checkpoint; file.Advance())
        {
            if (file.At == ExportItem.Leaf)
                yield return LeafOf(file);
        }
        if (file.At is ExportItem.Bad or ExportItem.Cut)
            throw new InvalidDataException($"behind leaf {file.Next - 1}: {file.Finding.Detail}");
    }

    private static AuditLeaf LeafOf(ExportFile file)
    {
        if (!TryDecode(file.Record, out var record))
            throw new InvalidDataException($"leaf {file.Index}: the record is not base64");
        byte[]? payload = null;
        if (!file.IsErased && !TryDecode(file.Payload, out payload))
            throw new InvalidDataException($"leaf {file.Index}: the payload is not base64");
        return new AuditLeaf(file.Index, record, payload);
    }

    private static bool TryDecode(ReadOnlySpan<byte> text, out byte[] bytes)
    {
        byte[] buffer = [];
        var good = StrictBase64.TryDecode(text, ref buffer, out var decoded);
        bytes = decoded.ToArray();
        return good;
    }
}
