using Governor.Grains.Watches;
using Orleans.Configuration;
using Orleans.Hosting;

namespace Governor.Silo.Hosting;

/// <summary>The actor host of this build: Orleans. One process, or a cluster of silos that find each other in PostgreSQL.</summary>
internal static class ActorHost
{
    public const string Name = "Orleans";

    public static readonly string[] Clusterings = ["Localhost", "AdoNet"];

    public static void Configure(ISiloBuilder silo, ActorHostOptions options, string connectionString)
    {
        if (options.Clustering == "AdoNet")
        {
            silo.UseAdoNetClustering(clustering =>
            {
                clustering.Invariant = "Npgsql";
                clustering.ConnectionString = connectionString;
            });
            silo.ConfigureEndpoints(options.SiloPort, options.GatewayPort);
            silo.UseAdoNetReminderService(reminders =>
            {
                reminders.Invariant = "Npgsql";
                reminders.ConnectionString = connectionString;
            });
            silo.AddAdoNetGrainStorage(WatchPlace.Storage, places =>
            {
                places.Invariant = "Npgsql";
                places.ConnectionString = connectionString;
            });
        }
        else
        {
            // What has to outlive the process is in the journal.
            silo.UseLocalhostClustering(options.SiloPort, options.GatewayPort, serviceId: options.ServiceId, clusterId: options.ClusterId);
            silo.UseInMemoryReminderService();
            silo.AddMemoryGrainStorage(WatchPlace.Storage); // a stream whose place is lost tells more than it needs
        }
        silo.Configure<ClusterOptions>(cluster =>
        {
            cluster.ClusterId = options.ClusterId;
            cluster.ServiceId = options.ServiceId;
        });
        silo.Configure<SiloMessagingOptions>(messaging => messaging.ResponseTimeout = options.ResponseTimeout);
        silo.Configure<GrainCollectionOptions>(collection => collection.CollectionAge = options.CollectionAge);
    }
}
