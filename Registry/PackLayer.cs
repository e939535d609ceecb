using System.Collections.Immutable;
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Governor.Domain.Kinds;
using Governor.Manifests;

namespace Governor.Registry;

/// <summary>A layer's blob: a gzip-compressed tar with the objects as YAML.</summary>
public static class PackLayer
{
    private const string FileName = "manifests.yaml";

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>
    /// The blob for these objects. The same objects in the same order give the same bytes: no times, no owners, no host in it. (The
    /// compressor is the runtime's own; another version of the runtime may compress the same archive to other bytes.)
    /// </summary>
    public static byte[] Pack(IReadOnlyList<KubeObject> objects)
    {
        using var blob = new MemoryStream();
        using (var gzip = new GZipStream(blob, CompressionLevel.Optimal, leaveOpen: true))
        using (var tar = new TarWriter(gzip, TarEntryFormat.Ustar))
        using (var text = new MemoryStream(StrictUtf8.GetBytes(ManifestWriter.Write(objects))))
            tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, FileName)
            {
                DataStream = text,
                Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
                ModificationTime = DateTimeOffset.UnixEpoch,
                Uid = 0,
                Gid = 0,
            });
        var bytes = blob.ToArray();
        bytes[8] = 0; // extra flags (RFC 1952): the level, which is nobody's business
        bytes[9] = 255; // operating system: unknown, wherever it was packed
        return bytes;
    }

    /// <summary>The objects of every <c>.yaml</c> and <c>.yml</c> file of the archive, the files in the order of their names.</summary>
    /// <param name="blob">A tar, compressed with gzip or not.</param>
    /// <param name="what">What it is, for errors.</param>
    /// <exception cref="RegistryException"><c>LayerTooLarge</c>, <c>LayerInvalid</c> or <c>ManifestInvalid</c>.</exception>
    public static ImmutableArray<KubeObject> Unpack(ReadOnlyMemory<byte> blob, RegistryOptions options, string what)
    {
        var files = Files(blob, options, what)
            .Where(file => file.Name.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase) || file.Name.EndsWith(".yml", StringComparison.OrdinalIgnoreCase))
            .OrderBy(file => file.Name, StringComparer.Ordinal)
            .ToList();
        if (files.Count == 0)
            throw new RegistryException(RegistryReasons.LayerInvalid, $"{what}: expected at least one .yaml file, found none");
        return [.. files.SelectMany(file => Objects(file, what))];
    }

    private static List<TarFile> Files(ReadOnlyMemory<byte> blob, RegistryOptions options, string what)
    {
        using var raw = new MemoryStream(blob.ToArray(), writable: false);
        var isGzip = blob.Length >= 2 && blob.Span[0] == 0x1f && blob.Span[1] == 0x8b;
        using var input = isGzip ? new GZipStream(raw, CompressionMode.Decompress) : (Stream)raw;
        try
        {
            return new TarArchive(input, options.MaxUnpackedBytes, options.MaxEntries, what).Read();
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new RegistryException(RegistryReasons.LayerInvalid, $"{what}: expected a gzip-compressed tar, found {e.Message}", inner: e);
        }
    }

    private static ImmutableArray<KubeObject> Objects(TarFile file, string what)
    {
        try
        {
            var text = StrictUtf8.GetString(file.Content);
            return ManifestReader.Read(text.StartsWith('\uFEFF') ? text[1..] : text, $"{what}: {file.Name}");
        }
        catch (ManifestException e)
        {
            throw new RegistryException(RegistryReasons.ManifestInvalid, e.Message, inner: e);
        }
        catch (DecoderFallbackException e)
        {
            throw new RegistryException(RegistryReasons.ManifestInvalid, $"{what}: {file.Name}: expected UTF-8, found a byte that is not at {e.Index}", inner: e);
        }
    }
}
