using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Tests;

/// <summary>The log of a whole silo, as other people's tools find it.</summary>
[Collection(nameof(SiloGround))]
public sealed class LogTests(SiloGround ground) : IAsyncLifetime
{
    private SiloBed _bed = null!;

    public async Task InitializeAsync() => _bed = await SiloBed.StartAsync(ground);

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task Entries_and_tiles_lead_to_the_signed_root_and_the_management_cluster_keeps_it()
    {
        await _bed.ReadyAsync();
        await DeclareAsync();
        using var admin = _bed.Admin();
        using var stranger = _bed.Client(null);
        await SiloBed.UntilAsync(admin, "/api/v1/audit/events?kind=PackExecution", HttpStatusCode.OK, text => text.Contains("gate-blocked", StringComparison.Ordinal));
        using var awaited = await admin.PostAsync(new Uri("/api/v1/audit/checkpoint", UriKind.Relative), null);
        var view = await awaited.Content.ReadFromJsonAsync<JsonElement>();
        var least = view.GetProperty("treeSize").GetInt64();
        Assert.True(VerifierKey.TryParse(view.GetProperty("key").GetString()!, out var key));

        var text = await SiloBed.UntilAsync(stranger, "/log/checkpoint", HttpStatusCode.OK, note => SizeOf(note) >= least);
        Assert.True(SignedNote.TryParse(text, out var note));
        Assert.True(Checkpoint.TryParse(note.Text, out var checkpoint));
        Assert.Equal(NoteVerdict.Good, note.Verify(key));

        var hashes = new List<TreeHash>();
        for (var first = 0L; first < checkpoint.Size; first += Tile.FullWidth)
        {
            var index = first / Tile.FullWidth;
            var bundle = await LeavesAsync(admin, Tile.In(checkpoint.Size, 0, index) with { Level = Tile.Entries });
            Assert.Equal(bundle.SelectMany(hash => hash.ToArray()), await stranger.GetByteArrayAsync($"/log/tile/{Tile.In(checkpoint.Size, 0, index)}"));
            hashes.AddRange(bundle);
        }
        Assert.Equal(checkpoint.Size, hashes.Count);
        Assert.Equal(checkpoint.Root, MerkleTree.Root([.. hashes]));
        using var refused = await stranger.GetAsync(new Uri("/log/tile/entries/000.p/1", UriKind.Relative));
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);

        await _bed.SeeAsync(
            KnownKinds.ConfigMap, new ObjectKey("ont-system", CheckpointMailbox.PostedName), map => SizeOf(CheckpointMailbox.Text(map, CheckpointMailbox.Checkpoint)) >= checkpoint.Size);
    }

    [Fact]
    public void Wrong_witnesses_are_said_with_where_they_are()
    {
        string[] wrong =
        [
            "Governor:Audit:Witnesses:0:Url=ftp://x", "Governor:Audit:Witnesses:0:Key=nonsense", "Governor:Audit:ClusterWitnesses:0:Key=nonsense",
            "Governor:Audit:PublishInterval=1.00:00:00", "Governor:Audit:AnswerTimeout=00:00:00", "Governor:Audit:Namespace=",
        ];
        var failures = Assert.Throws<Microsoft.Extensions.Options.OptionsValidationException>(() => Hosting.GovernorSilo.Build([.. wrong.Select(w => $"--{w}")])).Failures.ToArray();
        foreach (var path in (string[])["Witnesses[].Url", "Witnesses[].Key", "ClusterWitnesses[].Key", "ClusterWitnesses[].Cluster", "PublishInterval", "AnswerTimeout", "Namespace"])
            Assert.Contains(failures, failure => failure.Contains($"Governor:Audit:{path}: expected", StringComparison.Ordinal));
    }

    private static long SizeOf(string note) =>
        SignedNote.TryParse(note, out var parsed) && Checkpoint.TryParse(parsed.Text, out var checkpoint) ? checkpoint.Size : -1;

    private static async Task<List<TreeHash>> LeavesAsync(HttpClient client, Tile bundle)
    {
        var bytes = await client.GetByteArrayAsync($"/log/tile/{bundle}");
        var leaves = new List<TreeHash>();
        for (var at = 0; at < bytes.Length; at += 2 + BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(at)))
            leaves.Add(MerkleTree.HashLeaf(bytes.AsSpan(at + 2, BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(at)))));
        return leaves;
    }

    private Task DeclareAsync() => _bed.ApplyAsync($$"""
        {"apiVersion":"infra.ontai.dev/v1alpha1","kind":"ClusterPack","metadata":{"name":"web","namespace":"seam-tenant-ccs-dev"},
         "spec":{"version":"v1.0.0-r1","registryRef":{"url":"127.0.0.1:1/packs/web","digest":"sha256:{{new string('a', 64)}}"},
                 "workloadDigest":"sha256:{{new string('a', 64)}}","basePackName":"web","targetClusters":["ccs-dev"] } }
        """);
}
