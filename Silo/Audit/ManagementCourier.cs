using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Audit;

/// <summary>Keeps the newest checkpoint in the management cluster.</summary>
internal sealed class ManagementCourier(
    IClusters clusters, Newest<LogCheckpoint> newest, WitnessBoard board, AuditOptions options, TimeProvider clock)
    : Courier("management cluster", newest, board, options, clock)
{
    /// <summary>Who writes it, in its managed fields.</summary>
    public const string FieldManager = "governor-audit";

    protected override async Task GoAsync(Action delivered, CancellationToken stopping)
    {
        for (LogCheckpoint? last = null; ;)
        {
            var shown = await NextAsync(last, stopping);
            await clusters.Management.ApplyAsync(CheckpointMailbox.Post(Options.Namespace, shown.Note, null), FieldManager, new ApplyOptions(Force: true), stopping);
            Board.Has(Place, shown.Checkpoint.Size);
            Board.Well(Place);
            delivered();
            last = shown;
        }
    }
}
