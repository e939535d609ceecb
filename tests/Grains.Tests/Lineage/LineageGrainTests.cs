using System.Text.Json;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;
using Governor.Grains.Interfaces;
using Governor.Grains.Tests.Support;

namespace Governor.Grains.Tests.Lineage;

[Collection(nameof(Ground))]
public sealed class LineageGrainTests(Ground ground) : IAsyncLifetime
{
    private const string Ns = "seam-system";

    private static readonly DateTimeOffset At = new(2026, 11, 21, 8, 0, 0, TimeSpan.Zero);

    private Bed _bed = null!;

    public async Task InitializeAsync() => _bed = await Bed.StartAsync(ground);

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task Descendants_and_outcomes_that_are_told_before_their_root_are_kept()
    {
        await TellAsync("root-1", Descendant("root-1", "child-1"));
        await TellAsync("root-1", new OutcomeFact("child-1", OutcomeType.Succeeded, At, "ref", "delivered"));
        await TellAsync("root-1", Descendant("root-1", "child-2"));
        Assert.Null(await IndexAsync("clusterpack-web"));

        await TellAsync("root-1", Root("root-1", "web"));

        var index = await IndexObjectAsync("clusterpack-web", 2);
        Assert.Equal("root-1", index.FindText("spec", "rootBinding", "rootUID"));
        Assert.Equal(["child-1", "child-2"], Uids(index));
        Assert.Equal("child-1", index.Find("spec", "outcomeRegistry")[0].GetProperty("derivedObjectUID").GetString());
    }

    [Fact]
    public async Task The_index_object_grows_and_outlives_its_root()
    {
        await TellAsync("root-1", Root("root-1", "web"));
        await IndexObjectAsync("clusterpack-web", 0);
        await TellAsync("root-1", Descendant("root-1", "child-1"));
        await IndexObjectAsync("clusterpack-web", 1);
        await TellAsync("root-1", Root("root-1", "web") with { Exists = false });
        await TellAsync("root-1", Descendant("root-1", "child-2"));

        await IndexObjectAsync("clusterpack-web", 2);
    }

    [Fact]
    public async Task A_root_that_is_made_again_under_its_name_gets_an_index_of_its_own_and_both_go_on()
    {
        await TellAsync("root-1", Root("root-1", "web"));
        await TellAsync("root-1", Descendant("root-1", "child-1"));
        await IndexObjectAsync("clusterpack-web", 1);
        await TellAsync("root-1", Root("root-1", "web") with { Exists = false });

        await TellAsync("root-2", Root("root-2", "web"));
        await TellAsync("root-2", Descendant("root-2", "child-2"));

        var own = LineageNames.Index(new RootBinding("ClusterPack", "web", Ns, "root-2", 1, "human"), "root-1");
        Assert.NotEqual("clusterpack-web", own);
        Assert.Equal(["child-2"], Uids(await IndexObjectAsync(own, 1)));
        await TellAsync("root-1", Descendant("root-1", "child-3"));
        Assert.Equal(["child-1", "child-3"], Uids(await IndexObjectAsync("clusterpack-web", 2)));

        // And a silo that knows nothing of this any more finds the same names.
        await _bed.StopSiloAsync();
        await _bed.StartSiloAsync();
        await TellAsync("root-2", Descendant("root-2", "child-4"));
        await TellAsync("root-1", Descendant("root-1", "child-5"));
        Assert.Equal(["child-2", "child-4"], Uids(await IndexObjectAsync(own, 2)));
        Assert.Equal(["child-1", "child-3", "child-5"], Uids(await IndexObjectAsync("clusterpack-web", 3)));
    }

    [Fact]
    public async Task Two_roots_of_one_name_at_the_same_time_never_share_an_index()
    {
        string[] roots = [.. Enumerable.Range(1, 8).Select(n => $"root-{n}")];
        await Task.WhenAll(roots.Select(async root =>
        {
            await TellAsync(root, Descendant(root, $"child-of-{root}"));
            await TellAsync(root, Root(root, "web"));
        }));
        await _bed.Commits.QuietAsync();

        var indices = await _bed.Client.ListAsync(KnownKinds.InfrastructureLineageIndex, Ns, null, CancellationToken.None);
        Assert.Equal(roots, indices.Select(i => i.FindText("spec", "rootBinding", "rootUID")).Order(StringComparer.Ordinal));
        Assert.All(indices, i => Assert.Equal([$"child-of-{i.FindText("spec", "rootBinding", "rootUID")}"], Uids(i)));
    }

    private static RootFact Root(string uid, string name) =>
        new(KnownKinds.ClusterPack, new ObjectKey(Ns, name), uid, 1, "human", "wrapper", true) { Version = 1 };

    private static DescendantFact Descendant(string root, string uid) => new(
        SealedCausalChain.Of("ClusterPack", new ObjectKey(Ns, "web"), root, "wrapper", CreationRationale.PackExecution, 1),
        KnownKinds.PackExecution, new ObjectKey(Ns, $"execution-{uid}"), uid, "wrapper", "human");

    private Task TellAsync(string root, Fact fact) => _bed.Grains.GetGrain<ILineageGrain>(root).TellAsync(fact);

    private Task<KubeObject?> IndexAsync(string name) =>
        _bed.Client.GetAsync(KnownKinds.InfrastructureLineageIndex, new ObjectKey(Ns, name), CancellationToken.None);

    private Task<KubeObject> IndexObjectAsync(string name, int descendants) => _bed.SeenAsync(
        KnownKinds.InfrastructureLineageIndex, new ObjectKey(Ns, name),
        i => i.Find("spec", "descendantRegistry") is { ValueKind: JsonValueKind.Array } registry && registry.GetArrayLength() == descendants, $"{descendants} descendants");

    private static IEnumerable<string> Uids(KubeObject index) =>
        index.Find("spec", "descendantRegistry").EnumerateArray().Select(d => d.GetProperty("uid").GetString()!);
}
