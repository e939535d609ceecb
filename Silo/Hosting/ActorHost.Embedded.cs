using Governor.Grains.Watches;
using Orleans.Configuration;
using Orleans.Hosting;

namespace Governor.Silo.Hosting;

/// <summary>The actor host of this build: the embedded one. One process, with storage and reminders in PostgreSQL.</summary>
internal static class ActorHost
{
    public const string Name = "Embedded";

    public static void Configure(ISiloBuilder silo, ActorHostOptions options, string connectionString)
    {
        if (options.Clustering != "Localhost")
            throw new InvalidOperationException($"{ActorHostOptions.Section}:Clustering: the embedded host is one process; expected Localhost, found '{options.Clustering}'. Build with ActorHost=Orleans for a cluster of silos");
        silo.UseLocalhostClustering();
        silo.AddAdoNetGrainStorage(WatchGrain.Storage, storage =>
        {
            storage.Invariant = "Npgsql";
            storage.ConnectionString = connectionString;
        });
        silo.UseAdoNetReminderService(reminders =>
        {
            reminders.Invariant = "Npgsql";
            reminders.ConnectionString = connectionString;
        });
        silo.Configure<SiloMessagingOptions>(messaging => messaging.ResponseTimeout = options.ResponseTimeout);
        silo.Configure<GrainCollectionOptions>(collection => collection.CollectionAge = options.CollectionAge);
    }
}
