using System.Formats.Tar;
using System.Text;

namespace Governor.Registry.Tests;

public sealed class PackLayerTests
{
    private static readonly RegistryOptions Options = new();

    [Fact]
    public void Objects_survive_packing()
    {
        var read = PackLayer.Unpack(PackLayer.Pack(Layers.Objects), Options, "layer");
        Assert.Equal(Layers.Objects.Select(o => Encoding.UTF8.GetString(o.Json.Span)), read.Select(o => Encoding.UTF8.GetString(o.Json.Span)));
    }

    [Fact]
    public void The_same_objects_give_the_same_digest_and_others_another()
    {
        var first = PreparedLayer.Of(PackLayerKind.Rbac, Layers.Objects);
        Assert.Equal(first.Digest, PreparedLayer.Of(PackLayerKind.Rbac, Layers.Objects).Digest);
        Assert.NotEqual(first.Digest, PreparedLayer.Of(PackLayerKind.Workload, Layers.Objects).Digest);
        Assert.NotEqual(first.Digest, PreparedLayer.Of(PackLayerKind.Rbac, [.. Layers.Objects.Reverse()]).Digest);
    }

    [Fact]
    public void The_blob_holds_no_time_and_no_place()
    {
        var blob = PackLayer.Pack(Layers.Objects);
        Assert.Equal((byte[])[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255], blob[..10]);
        using var gzip = new System.IO.Compression.GZipStream(new MemoryStream(blob), System.IO.Compression.CompressionMode.Decompress);
        using var tar = new TarReader(gzip);
        var entry = tar.GetNextEntry()!;
        Assert.Equal(("manifests.yaml", DateTimeOffset.UnixEpoch, 0, 0), (entry.Name, entry.ModificationTime, entry.Uid, entry.Gid));
        Assert.Null(tar.GetNextEntry());
    }

    public static TheoryData<TarEntryFormat> Formats => [TarEntryFormat.Ustar, TarEntryFormat.Pax, TarEntryFormat.Gnu, TarEntryFormat.V7];

    [Theory, MemberData(nameof(Formats))]
    public void Every_tar_format_is_read_and_files_come_in_the_order_of_their_names(TarEntryFormat format)
    {
        var longName = "b/" + new string('n', format is TarEntryFormat.Pax or TarEntryFormat.Gnu ? 150 : 60) + ".yml";
        var blob = Layers.Tar(format == TarEntryFormat.V7 ? TarEntryFormat.V7 : format, tar =>
        {
            WriteAs(tar, format, longName, Layers.ConfigMap.Replace("name: a", "name: second", StringComparison.Ordinal));
            WriteAs(tar, format, "README.md", "not yaml: [");
            WriteAs(tar, format, "./a.yaml", Layers.ConfigMap.Replace("name: a", "name: first", StringComparison.Ordinal));
        });
        Assert.Equal(["first", "second"], PackLayer.Unpack(Layers.Gzip(blob), Options, "layer").Select(o => o.Name));
        Assert.Equal(["first", "second"], PackLayer.Unpack(blob, Options, "layer").Select(o => o.Name));
    }

    private static void WriteAs(TarWriter tar, TarEntryFormat format, string name, string content)
    {
        if (format == TarEntryFormat.V7)
            tar.WriteEntry(new V7TarEntry(TarEntryType.V7RegularFile, name) { DataStream = new MemoryStream(Encoding.UTF8.GetBytes(content)) });
        else
            tar.File(name, content);
    }

    [Theory]
    [InlineData("../a.yaml")]
    [InlineData("/etc/a.yaml")]
    [InlineData("a/../../b.yaml")]
    [InlineData("a\\b.yaml")]
    public void Names_that_leave_the_archive_are_refused(string name) =>
        Refused(Layers.OneFile(name, Layers.ConfigMap), RegistryReasons.LayerInvalid, "names inside the archive");

    [Theory]
    [InlineData(TarEntryType.SymbolicLink, "a symbolic link 'x.yaml'")]
    [InlineData(TarEntryType.HardLink, "a hard link 'x.yaml'")]
    [InlineData(TarEntryType.CharacterDevice, "a device 'x.yaml'")]
    [InlineData(TarEntryType.BlockDevice, "a device 'x.yaml'")]
    [InlineData(TarEntryType.Fifo, "a pipe 'x.yaml'")]
    public void Links_and_devices_are_refused(TarEntryType type, string expected)
    {
        var tar = Layers.Tar(TarEntryFormat.Ustar, writer =>
        {
            var entry = new UstarTarEntry(type, "x.yaml");
            if (type is TarEntryType.SymbolicLink or TarEntryType.HardLink)
                entry.LinkName = "/etc/passwd";
            writer.WriteEntry(entry);
        });
        Refused(Layers.Gzip(tar), RegistryReasons.LayerInvalid, expected);
    }

    [Fact]
    public void A_decompression_bomb_is_stopped()
    {
        var bomb = Layers.Gzip(Layers.Tar(TarEntryFormat.Ustar, tar => tar.File("a.yaml", new byte[8 * 1024 * 1024])));
        Assert.True(bomb.Length < 64 * 1024);
        Refused(bomb, RegistryReasons.LayerTooLarge, "at most 1048576 bytes unpacked", new RegistryOptions { MaxUnpackedBytes = 1024 * 1024 });
        // Bytes that no entry claims count as well.
        var tail = Layers.Gzip([.. Layers.Tar(TarEntryFormat.Ustar, tar => tar.File("README", "x"))[..1024], .. OctalHeader(8L << 30)]);
        Refused(tail, RegistryReasons.LayerTooLarge, "at most 268435456 bytes unpacked");
    }

    /// <summary>A header that announces more than it has.</summary>
    private static byte[] OctalHeader(long size)
    {
        var header = new byte[512];
        Encoding.ASCII.GetBytes("big.yaml").CopyTo(header, 0);
        Encoding.ASCII.GetBytes(Convert.ToString(size, 8).PadLeft(12, '0')).CopyTo(header, 124);
        header[156] = (byte)'0';
        header.AsSpan(148, 8).Fill((byte)' ');
        Encoding.ASCII.GetBytes(Convert.ToString(header.Sum(b => b), 8).PadLeft(6, '0') + "\0 ").CopyTo(header, 148);
        return header;
    }

    [Fact]
    public void Too_many_entries_are_refused()
    {
        var tar = Layers.Tar(TarEntryFormat.Ustar, writer =>
        {
            for (var i = 0; i < 20; i++)
                writer.File($"{i}.yaml", "");
        });
        Refused(Layers.Gzip(tar), RegistryReasons.LayerTooLarge, "at most 10 entries", new RegistryOptions { MaxEntries = 10 });
    }

    [Fact]
    public void What_is_no_archive_is_refused()
    {
        Refused("not an archive at all"u8.ToArray(), RegistryReasons.LayerInvalid, "whole blocks");
        Refused(new string('x', 1024).Select(c => (byte)c).ToArray(), RegistryReasons.LayerInvalid, "octal");
        Refused([], RegistryReasons.LayerInvalid, "at least one .yaml file, found none");
        Refused(Layers.OneFile("README", "x"), RegistryReasons.LayerInvalid, "at least one .yaml file, found none");
        Refused(PackLayer.Pack(Layers.Objects)[..^20], RegistryReasons.LayerInvalid, "expected");
        var corrupt = PackLayer.Pack(Layers.Objects);
        corrupt[20] ^= 0xff;
        Refused(corrupt, RegistryReasons.LayerInvalid, "expected");
        var header = Layers.Tar(TarEntryFormat.Ustar, tar => tar.File("a.yaml", Layers.ConfigMap));
        header[0] ^= 1;
        Refused(Layers.Gzip(header), RegistryReasons.LayerInvalid, "checksum");
        Refused(
            Layers.Gzip(Layers.Tar(TarEntryFormat.Ustar, tar => { tar.File("a.yaml", "x"); tar.File("./a.yaml", "y"); })),
            RegistryReasons.LayerInvalid, "every name once, found 'a.yaml' again");
    }

    [Fact]
    public void What_is_no_Kubernetes_object_is_refused_with_file_and_line()
    {
        Refused(Layers.OneFile("a.yaml", "a: [1"), RegistryReasons.ManifestInvalid, "layer: a.yaml: document 1, line");
        Refused(Layers.OneFile("a.yaml", "kind: X"), RegistryReasons.ManifestInvalid, "no apiVersion");
        Refused(
            Layers.Gzip(Layers.Tar(TarEntryFormat.Ustar, tar => tar.File("a.yaml", [0x61, 0xff]))),
            RegistryReasons.ManifestInvalid, "expected UTF-8, found a byte that is not at 1");
    }

    private static void Refused(byte[] blob, string reason, string expected, RegistryOptions? options = null)
    {
        var error = Assert.Throws<RegistryException>(() => PackLayer.Unpack(blob, options ?? Options, "layer"));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal((reason, false), (error.Reason, error.IsTransient));
    }
}
