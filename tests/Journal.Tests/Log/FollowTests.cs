using System.Globalization;
using Governor.Grains.Interfaces.Ports;
using Governor.LocalServers;
using Npgsql;
using static Governor.Journal.Tests.Samples;

namespace Governor.Journal.Tests.Log;

/// <summary>Whoever follows the log is told of its checkpoints.</summary>
[Collection(nameof(LogServer))]
public sealed class FollowTests(JournalServer server)
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task Who_follows_gets_the_newest_checkpoint_then_every_later_one_and_an_end_when_he_wants_it()
    {
        await using var bed = await server.BedAsync();
        var silo = bed.Start(sequence: true);
        await silo.GrowAsync(1);
        using var stop = new CancellationTokenSource();
        await using var followed = bed.Start().Log.FollowAsync(stop.Token).GetAsyncEnumerator(None);

        Assert.True(await followed.MoveNextAsync());
        Assert.Equal(1, followed.Current.Checkpoint.Size);
        for (var size = 2; size < 6; size++)
        {
            var next = followed.MoveNextAsync();
            var signed = await silo.GrowAsync(size);
            Assert.True(await next);
            Assert.Equal(signed, followed.Current);
        }
        // Of several that came about meanwhile only the newest.
        await silo.GrowAsync(7);
        var newest = await silo.GrowAsync(9);
        Assert.True(await followed.MoveNextAsync());
        Assert.Equal(newest, followed.Current);

        var last = followed.MoveNextAsync();
        await stop.CancelAsync();
        Assert.False(await last);
    }

    [Fact]
    public async Task Who_follows_before_the_first_checkpoint_gets_it()
    {
        await using var bed = await server.BedAsync();
        await using var followed = bed.Start().Log.FollowAsync(None).GetAsyncEnumerator(None);
        var first = followed.MoveNextAsync();
        bed.Start(sequence: true);
        Assert.True(await first);
        Assert.Equal(0, followed.Current.Checkpoint.Size);
    }

    [Fact]
    public async Task Who_follows_goes_on_when_the_database_was_away()
    {
        var folder = Directory.CreateTempSubdirectory("governor-follow-");
        File.SetUnixFileMode(folder.FullName, (UnixFileMode)0b111_101_101);
        var port = FreePort.Next();
        var settings = new Dictionary<string, string> { ["port"] = port.ToString(CultureInfo.InvariantCulture) };
        var data = Path.Combine(folder.FullName, "pg");
        try
        {
            var before = await PostgresServer.StartAsync(data, settings);
            var connectionString = new NpgsqlConnectionStringBuilder(before.ConnectionString()) { Port = port }.ConnectionString;
            await SchemaMigrations.ApplyAsync(connectionString, None);
            await using var bed = new JournalBed(connectionString, Path.Combine(folder.FullName, "log.key"));
            var silo = bed.Start(sequence: true);
            await using var followed = silo.Log.FollowAsync(None).GetAsyncEnumerator(None);
            await silo.GrowAsync(300);
            while (await followed.MoveNextAsync() && followed.Current.Checkpoint.Size < 300)
            {
                // Those on the way there.
            }
            var next = followed.MoveNextAsync();

            await before.KillAsync();
            await before.DisposeAsync();
            await using var after = await PostgresServer.StartAsync(data, settings);
            var signed = await silo.GrowAsync(600);

            Assert.True(await next);
            while (followed.Current.Checkpoint.Size < 600)
                Assert.True(await followed.MoveNextAsync());
            Assert.Equal(signed, followed.Current);
            await silo.DemandTilesAsync(await bed.LeafHashesAsync(), 600);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
