using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Audit;

internal static class AuditHosting
{
    /// <summary>Shows the log to the world outside the database, and compares it with what is known there.</summary>
    public static void AddPublication(this IServiceCollection services)
    {
        services.AddSingleton<WitnessBoard>();
        services.AddSingleton<WitnessRequests>();
        services.AddSingleton<IOutsideCheckpoints, ClusterCheckpoints>();
        services.AddHostedService<CheckpointPublisher>();
    }
}
