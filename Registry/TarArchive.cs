using System.Globalization;
using System.Text;

namespace Governor.Registry;

/// <summary>A plain file of an archive.</summary>
internal sealed record TarFile(string Name, byte[] Content);

/// <summary>
/// Reads a ustar, pax or GNU archive of plain files and directories. Written by hand because everything in it is hostile until
/// proven otherwise: no size in a header makes us allocate, and links, devices and names that leave the archive are refused.
/// </summary>
internal sealed class TarArchive(Stream input, int maxBytes, int maxEntries, string what)
{
    private const int BlockBytes = 512;
    private const int LongNameBytes = 64 * 1024;

    private readonly List<TarFile> _files = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    private long _read;
    private int _entries;
    private string? _longName;
    private long? _longSize;

    /// <summary>Every plain file in the archive's order.</summary>
    /// <exception cref="RegistryException"><c>LayerTooLarge</c> or <c>LayerInvalid</c>.</exception>
    internal List<TarFile> Read()
    {
        var header = new byte[BlockBytes];
        while (TryReadBlock(header) && header.AsSpan().ContainsAnyExcept((byte)0))
        {
            if (++_entries > maxEntries)
                throw new RegistryException(RegistryReasons.LayerTooLarge, $"{what}: expected at most {maxEntries} entries, found more");
            RequireChecksum(header);
            ReadEntry(header);
        }
        return _files;
    }

    private void ReadEntry(byte[] header)
    {
        var size = Octal(header.AsSpan(124, 12), "size");
        switch ((char)header[156])
        {
            case 'x':
                ReadPax(ReadSmall(size));
                return; // its values are for the entry that follows
            case 'L':
                _longName = Text(ReadSmall(size)).TrimEnd('\0');
                return;
            case 'g':
                ReadSmall(size);
                return;
            case '0' or '\0' or '7':
                var name = Safe(_longName ?? Name(header));
                if (!_names.Add(name))
                    throw Invalid($"every name once, found '{name}' again");
                _files.Add(new TarFile(name, ReadContent(_longSize ?? size, name)));
                break;
            case '5':
                Safe((_longName ?? Name(header)).TrimEnd('/'));
                Skip(_longSize ?? size);
                break;
            case var type:
                throw Invalid($"plain files and directories, found {Describe(type)} '{Shown(_longName ?? Name(header))}'");
        }
        (_longName, _longSize) = (null, null);
    }

    private static string Describe(char type) => type switch
    {
        '1' => "a hard link",
        '2' => "a symbolic link",
        '3' or '4' => "a device",
        '6' => "a pipe",
        _ => $"an entry of type '{(char.IsAsciiLetterOrDigit(type) ? type : '?')}'",
    };

    /// <summary>The prefix and name fields; GNU archives use the prefix for something else.</summary>
    private static string Name(byte[] header)
    {
        var name = Text(Terminated(header.AsSpan(0, 100)));
        var prefix = header.AsSpan(257, 6).SequenceEqual("ustar\0"u8) ? Text(Terminated(header.AsSpan(345, 155))) : "";
        return prefix.Length == 0 ? name : $"{prefix}/{name}";
    }

    private string Safe(string name)
    {
        var path = name.StartsWith("./", StringComparison.Ordinal) ? name[2..] : name;
        var leaves = path.StartsWith('/') || path.Split('/').Contains("..") || path.AsSpan().ContainsAny('\\', '\0');
        return leaves ? throw Invalid($"names inside the archive, found '{Shown(name)}'") : path;
    }

    private void ReadPax(byte[] records)
    {
        var at = 0;
        while (at < records.Length)
        {
            // "<length> <key>=<value>\n", the length counting all of it
            var space = records.AsSpan(at).IndexOf((byte)' ');
            if (space <= 0 || !int.TryParse(records.AsSpan(at, space), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
                || length <= space + 1 || length > records.Length - at || records[at + length - 1] != '\n')
                throw Invalid("pax records, found something else");
            var record = records.AsSpan(at + space + 1, length - space - 2);
            if (record.StartsWith("path="u8))
                _longName = Text(record[5..]);
            else if (record.StartsWith("size="u8))
                _longSize = long.TryParse(record[5..], NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : throw Invalid("a size in the pax record, found none");
            at += length;
        }
    }

    private byte[] ReadSmall(long size) =>
        size <= LongNameBytes ? ReadContent(size, "an extended header") : throw Invalid($"extended headers of at most {LongNameBytes} bytes, found {size}");

    private byte[] ReadContent(long size, string name)
    {
        RequireRoom(size);
        using var content = new MemoryStream();
        var block = new byte[BlockBytes];
        for (var left = size; left > 0; left -= BlockBytes)
        {
            if (!TryReadBlock(block))
                throw Invalid($"{size} bytes of '{Shown(name)}', found the end after {content.Length}");
            content.Write(block, 0, (int)Math.Min(left, BlockBytes));
        }
        return content.ToArray();
    }

    private void Skip(long size)
    {
        RequireRoom(size);
        var block = new byte[BlockBytes];
        for (var left = size; left > 0; left -= BlockBytes)
            if (!TryReadBlock(block))
                throw Invalid($"{size} bytes of a directory entry, found the end");
    }

    private void RequireRoom(long size)
    {
        if (size > maxBytes - _read)
            throw new RegistryException(RegistryReasons.LayerTooLarge, $"{what}: expected at most {maxBytes} bytes unpacked, found more");
    }

    /// <summary>False at a clean end. Every byte that the decompressor gives is counted, whatever it is for.</summary>
    private bool TryReadBlock(byte[] block)
    {
        var read = input.ReadAtLeast(block, BlockBytes, throwOnEndOfStream: false);
        _read += read;
        if (_read > maxBytes)
            throw new RegistryException(RegistryReasons.LayerTooLarge, $"{what}: expected at most {maxBytes} bytes unpacked, found more");
        return read switch
        {
            BlockBytes => true,
            0 => false,
            _ => throw Invalid($"whole blocks of {BlockBytes} bytes, found {read} at the end"),
        };
    }

    private void RequireChecksum(byte[] header)
    {
        // The sum of the header's bytes, its own field taken as spaces.
        var sum = 0;
        for (var i = 0; i < BlockBytes; i++)
            sum += i is >= 148 and < 156 ? ' ' : header[i];
        if (Octal(header.AsSpan(148, 8), "checksum") != sum)
            throw Invalid("a tar header, found one whose checksum is wrong");
    }

    private long Octal(ReadOnlySpan<byte> field, string name)
    {
        var digits = field.Trim(" \0"u8);
        var value = 0L;
        foreach (var digit in digits)
            value = digit is >= (byte)'0' and <= (byte)'7' ? (value * 8) + digit - '0' : throw Invalid($"an octal {name} in the tar header, found something else");
        return value;
    }

    private static ReadOnlySpan<byte> Terminated(ReadOnlySpan<byte> field) => field.IndexOf((byte)0) is >= 0 and var end ? field[..end] : field;

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    private static string Shown(string name) => new([.. name.Take(80).Select(c => char.IsControl(c) ? '?' : c)]);

    private RegistryException Invalid(string expectedAndFound) => new(RegistryReasons.LayerInvalid, $"{what}: expected {expectedAndFound}");
}
