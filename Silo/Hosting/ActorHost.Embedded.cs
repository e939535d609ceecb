using Governor.Grains.Watches;
using Orleans.Configuration;
using Orleans.Hosting;

namespace Governor.Silo.Hosting;

/// <summary>The actor host of this build: the embedded one. One process, with reminders and watch places in PostgreSQL.</summary>
internal static class ActorHost
{
    public const string Name = "Embedded";

    /// <summary>It is one process; a cluster of silos is a build with <c>ActorHost=Orleans</c>.</summary>
    public static readonly string[] Clusterings = ["Localhost"];

    public static void Configure(ISiloBuilder silo, ActorHostOptions options, string connectionString)
    {
        silo.UseLocalhostClustering();
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
        silo.Configure<SiloMessagingOptions>(messaging => messaging.ResponseTimeout = options.ResponseTimeout);
        silo.Configure<GrainCollectionOptions>(collection => collection.CollectionAge = options.CollectionAge);
    }
}
