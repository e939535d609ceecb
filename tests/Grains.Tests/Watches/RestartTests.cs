using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Tests.Support;

namespace Governor.Grains.Tests.Watches;

/// <summary>What a stream of the management cluster does after it ended, and what it says when its kind comes and goes.</summary>
[Collection(nameof(Ground))]
public sealed class RestartTests(Ground ground) : IAsyncLifetime
{
    private const string Ns = "seam-system";
    private const string Definition = "permissionsets.security.ontai.dev";

    private Bed _bed = null!;

    public async Task InitializeAsync() => _bed = await Bed.StartAsync(ground);

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task It_goes_on_from_its_place_and_tells_only_what_is_newer()
    {
        await TellAllAsync();
        await _bed.StopSiloAsync();
        await DeclareAsync("moves", "other");
        await DeclareAsync("comes", "thing");
        await _bed.DeleteAsync(KnownKinds.PermissionSet, new(Ns, "goes"));
        var told = _bed.Showings.Of(new(Ns, "stays")).Count;
        await _bed.StartSiloAsync();
        await _bed.WatchAsync(KnownKinds.PermissionSet);

        await CommittedAsync("moves", s => s.Set?.Value?.Rules[0].Resources[0] == "other", "changed");
        await CommittedAsync("comes", s => s.Set is not null, "seen");
        await CommittedAsync("goes", s => s.Set is null, "gone");
        Assert.True(await _bed.Watch(KnownKinds.PermissionSet).UntilSyncedAsync(true));
        Assert.Equal(told, _bed.Showings.Of(new(Ns, "stays")).Count);
    }

    [Fact]
    public async Task With_an_older_journal_everything_is_told_again()
    {
        await TellAllAsync();
        await _bed.StopSiloAsync();
        await _bed.ForgetJournalAsync();
        var told = _bed.Showings.Of(new(Ns, "stays")).Count;
        await _bed.StartSiloAsync();
        await _bed.WatchAsync(KnownKinds.PermissionSet);

        await _bed.Showings.UntilAsync(new(Ns, "stays"), seen => seen.Count > told, "told again");
    }

    [Fact]
    public async Task A_definition_that_goes_takes_its_objects_along_and_one_that_comes_is_picked_up()
    {
        await _bed.WatchAsync(KnownKinds.CustomResourceDefinition);
        await TellAllAsync();
        var definition = (await _bed.Client.GetAsync(KnownKinds.CustomResourceDefinition, new("", Definition), default))!;

        await _bed.DeleteAsync(KnownKinds.CustomResourceDefinition, new("", Definition));
        await CommittedAsync("stays", s => s.Set is null, "gone with its definition");
        Assert.True(await _bed.Watch(KnownKinds.PermissionSet).UntilSyncedAsync(true)); // nothing is there: that is known

        var fresh = definition.ToJsonObject();
        fresh["metadata"] = new System.Text.Json.Nodes.JsonObject { ["name"] = Definition };
        fresh.Remove("status");
        await _bed.Client.ApplyAsync(KubeObject.From(fresh), "human", default, default);
        await _bed.Management.IdleAsync();
        await DeclareAsync("stays", "thing");
        await CommittedAsync("stays", s => s.Set is not null, "seen again");
    }

    [Fact]
    public async Task A_definition_that_went_while_no_silo_was_there_has_taken_its_objects_along()
    {
        await TellAllAsync();
        await _bed.StopSiloAsync();
        await _bed.DeleteAsync(KnownKinds.CustomResourceDefinition, new("", Definition));
        await _bed.Management.IdleAsync();
        await _bed.StartSiloAsync();
        await _bed.WatchAsync(KnownKinds.PermissionSet);

        await CommittedAsync("stays", s => s.Set is null, "gone with its definition");
    }

    private async Task TellAllAsync()
    {
        string[] names = ["stays", "moves", "goes"];
        foreach (var name in names)
            await DeclareAsync(name, "thing");
        await _bed.WatchAsync(KnownKinds.PermissionSet);
        foreach (var name in names)
            await CommittedAsync(name, s => s.Set is not null, "seen");
        await _bed.Commits.QuietAsync(); // statuses are written, and come back through the stream
        foreach (var name in names)
            await _bed.Showings.UntilAsync(new(Ns, name), seen => seen[^1].Object!.Status.ValueKind != System.Text.Json.JsonValueKind.Undefined, "its status");
        Assert.True(await _bed.Watch(KnownKinds.PermissionSet).UntilSyncedAsync(true));
    }

    private Task DeclareAsync(string name, string resource) => _bed.DeclareAsync($$"""
        apiVersion: security.ontai.dev/v1alpha1
        kind: PermissionSet
        metadata: { name: {{name}}, namespace: {{Ns}} }
        spec:
          permissions:
          - resources: [{{resource}}]
            verbs: [get]
        """);

    private async Task<PermissionSetState> CommittedAsync(string name, Func<PermissionSetState, bool> holds, string what) =>
        (await _bed.Commits.UntilAsync(Subjects.PermissionSet, $"{Ns}/{name}", holds, what)).As<PermissionSetState>();
}
