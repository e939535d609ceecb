using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;
using Governor.Manifests;

namespace Governor.Registry.Tests;

/// <summary>Layers, good and bad.</summary>
internal static class Layers
{
    internal const string ConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: web}\ndata: {x: \"1\"}\n";

    internal static IReadOnlyList<KubeObject> Objects { get; } = ManifestReader.Read(
        ConfigMap + "---\napiVersion: v1\nkind: Service\nmetadata: {name: b, namespace: web}\nspec: {ports: [{port: 80}]}\n", "sample");

    internal static byte[] Gzip(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.SmallestSize, leaveOpen: true))
            gzip.Write(bytes);
        return output.ToArray();
    }

    internal static byte[] Tar(TarEntryFormat format, Action<TarWriter> write)
    {
        using var output = new MemoryStream();
        using (var tar = new TarWriter(output, format, leaveOpen: true))
            write(tar);
        return output.ToArray();
    }

    internal static void File(this TarWriter tar, string name, string content) => tar.File(name, Encoding.UTF8.GetBytes(content));

    internal static void File(this TarWriter tar, string name, byte[] content)
    {
        TarEntry entry = tar.Format switch
        {
            TarEntryFormat.Pax => new PaxTarEntry(TarEntryType.RegularFile, name),
            TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
            _ => new UstarTarEntry(TarEntryType.RegularFile, name),
        };
        entry.DataStream = new MemoryStream(content);
        tar.WriteEntry(entry);
    }

    internal static byte[] OneFile(string name, string content) => Gzip(Tar(TarEntryFormat.Ustar, tar => tar.File(name, content)));

    internal static byte[] ManifestFor(byte[] blob, string mediaType = "application/vnd.ontai.workload.v1+tar.gzip") =>
        new OciManifest(mediaType, Digest.Of(blob), blob.Length).ToBytes();
}
