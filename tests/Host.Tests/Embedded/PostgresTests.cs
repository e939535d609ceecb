using Governor.Host.Tests.Fixture;
using Governor.Host.Tests.Probes;
using Governor.LocalServers;
using Microsoft.Extensions.DependencyInjection;
using Orleans;
using Orleans.Hosting;
using Orleans.Runtime;
using Orleans.Storage;

namespace Governor.Host.Tests.Embedded;

/// <summary>A private PostgreSQL for the tests of this folder.</summary>
public sealed class Database : IAsyncLifetime
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("governor-host-");
    private PostgresServer? server;

    public string ConnectionString => server!.ConnectionString();

    public async Task InitializeAsync()
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(folder.FullName, File.GetUnixFileMode(folder.FullName) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        server = await PostgresServer.StartAsync(Path.Combine(folder.FullName, "postgres"));
    }

    public async Task DisposeAsync()
    {
        await server!.DisposeAsync();
        folder.Delete(recursive: true);
    }
}

/// <summary>States and reminders in PostgreSQL, in tables the embedded host makes itself.</summary>
public sealed class PostgresTests(Database database) : IClassFixture<Database>, IAsyncLifetime
{
    private readonly string key = Fresh.Key("kept");
    private SiloProcess? silo;

    private IGrainFactory Grains => silo!.Services.GetRequiredService<IGrainFactory>();

    private IStateProbeGrain Probe => Grains.GetGrain<IStateProbeGrain>(key);

    public async Task InitializeAsync() => silo = await SiloProcess.StartAsync(Configure);

    public async Task DisposeAsync() => await silo!.DisposeAsync();

    [Fact]
    public async Task A_state_survives_a_restart_with_its_version()
    {
        await Probe.Write(1).Soon();
        await Probe.Write(2).Soon();
        await RestartAsync();
        Assert.Equal((2, true, "2"), await Probe.Read().Soon());
    }

    [Fact]
    public async Task A_write_over_somebody_elses_is_refused_with_both_versions()
    {
        await Probe.Write(1).Soon();
        var storage = silo!.Services.GetRequiredKeyedService<IGrainStorage>("Default");
        var state = new GrainState<ProbeState>();
        await storage.ReadStateAsync("probe", Probe.GetGrainId(), state);
        await storage.WriteStateAsync("probe", Probe.GetGrainId(), state);

        var error = await Assert.ThrowsAsync<InconsistentStateException>(() => Probe.Write(3).Soon());
        Assert.Equal(("2", "1"), (error.StoredEtag, error.CurrentEtag));
    }

    [Fact]
    public async Task Two_first_writes_do_not_both_succeed()
    {
        var storage = silo!.Services.GetRequiredKeyedService<IGrainStorage>("Default");
        var id = Probe.GetGrainId();
        await storage.WriteStateAsync("probe", id, new GrainState<ProbeState>(new() { Value = 1 }));
        await Assert.ThrowsAsync<InconsistentStateException>(() =>
            storage.WriteStateAsync("probe", id, new GrainState<ProbeState>(new() { Value = 2 })));
    }

    [Fact]
    public async Task A_cleared_state_keeps_its_version_so_that_nobody_writes_over_the_clearing()
    {
        await Probe.Write(1).Soon();
        var storage = silo!.Services.GetRequiredKeyedService<IGrainStorage>("Default");
        var before = new GrainState<ProbeState>();
        await storage.ReadStateAsync("probe", Probe.GetGrainId(), before);
        await Probe.Clear().Soon();
        Assert.Equal((0, false, "2"), await Probe.Read().Soon());
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("probe", Probe.GetGrainId(), before));
    }

    [Fact]
    public async Task A_reminder_survives_a_restart_and_ticks_then()
    {
        var reminded = Grains.GetGrain<IReminderProbeGrain>(key);
        await reminded.Remind("later", TimeSpan.FromHours(1)).Soon();
        await reminded.Remind("soon", TimeSpan.FromSeconds(3)).Soon();
        await RestartAsync();

        reminded = Grains.GetGrain<IReminderProbeGrain>(key);
        Assert.Equal(["later", "soon"], (await reminded.Names().Soon()).Order());
        await Gate.Of(key + "/soon").Entered();
        await reminded.Forget("soon").Soon();
        Assert.Equal(["later"], await reminded.Names().Soon());
    }

    private async Task RestartAsync()
    {
        await silo!.DisposeAsync();
        silo = await SiloProcess.StartAsync(Configure);
    }

    private void Configure(ISiloBuilder builder) => builder
        .UseLocalhostClustering()
        .AddAdoNetGrainStorageAsDefault(options =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = database.ConnectionString;
        })
        .AddAdoNetGrainStorage("Other", options =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = database.ConnectionString;
        })
        .UseAdoNetReminderService(options =>
        {
            options.Invariant = "Npgsql";
            options.ConnectionString = database.ConnectionString;
        });
}
