using FsCheck;
using FsCheck.Fluent;

namespace Governor.Domain.Tests.Audit;

/// <summary>Random changes to a file: of bytes, of stretches, and of whole lines.</summary>
internal static class Mutations
{
    public static Gen<byte[]> Of(byte[] file)
    {
        var lines = Lines(file);
        return Gen.OneOf(Flip(file), Splice(file), Truncate(file), Reline(lines), Gen.Choose(1, 4).SelectMany(_ => Reline(lines)).SelectMany(Splice));
    }

    private static Gen<byte[]> Flip(byte[] file) =>
        from at in Gen.Choose(0, file.Length - 1)
        from bit in Gen.Choose(0, 7)
        select Changed(file, at, (byte)(file[at] ^ (1 << bit)));

    private static Gen<byte[]> Splice(byte[] file) =>
        from at in Gen.Choose(0, Math.Max(0, file.Length - 1))
        from remove in Gen.Choose(0, 40)
        from insert in Gen.OneOf(
            Gen.Choose(0, 255).Select(b => (byte)b).ArrayOf(),
            Gen.Elements<byte>((byte)' ', (byte)'\n', (byte)'=', (byte)'A', (byte)'0').ArrayOf(),
            Gen.Choose(0, Math.Max(0, file.Length - 200)).Select(begin => file[begin..Math.Min(file.Length, begin + 200)]))
        select (byte[])[.. file[..Math.Min(file.Length, at)], .. insert, .. file[Math.Min(file.Length, at + remove)..]];

    private static Gen<byte[]> Truncate(byte[] file) => Gen.Choose(0, file.Length - 1).Select(length => file[..length]);

    /// <summary>Moves, repeats, drops or exchanges lines, each of them whole.</summary>
    private static Gen<byte[]> Reline(byte[][] lines) =>
        from begin in Gen.Choose(0, lines.Length - 1)
        from count in Gen.Choose(1, 4)
        from to in Gen.Choose(0, lines.Length)
        from keep in Gen.Elements(true, false)
        select Moved(lines, begin, Math.Min(count, lines.Length - begin), to, keep);

    private static byte[] Moved(byte[][] lines, int from, int count, int to, bool keep)
    {
        var taken = lines[from..(from + count)];
        var rest = lines.ToList();
        if (!keep)
            rest.RemoveRange(from, count);
        rest.InsertRange(Math.Min(to, rest.Count), taken);
        return [.. rest.SelectMany(line => line)];
    }

    private static byte[] Changed(byte[] file, int at, byte value)
    {
        var changed = (byte[])file.Clone();
        changed[at] = value;
        return changed;
    }

    private static byte[][] Lines(byte[] file)
    {
        var lines = new List<byte[]>();
        for (var begin = 0; begin < file.Length;)
        {
            var end = Array.IndexOf(file, (byte)'\n', begin) is >= 0 and var feed ? feed + 1 : file.Length;
            lines.Add(file[begin..end]);
            begin = end;
        }
        return [.. lines];
    }
}
