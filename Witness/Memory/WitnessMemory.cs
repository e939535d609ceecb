using Governor.Domain.Transparency;

namespace Governor.Witness.Memory;

/// <summary>What a witness remembers of one log.</summary>
/// <param name="Accepted">The last checkpoint that it accepted, with the log's signatures and its own cosignature; null before the first.</param>
/// <param name="Alarm">What the log has to answer for; null when there is nothing.</param>
public sealed record WitnessMemory(SignedNote? Accepted, WitnessAlarm? Alarm)
{
    public static WitnessMemory Nothing { get; } = new(null, null);

    /// <summary>What <see cref="Accepted"/> commits to.</summary>
    public Checkpoint? Seen { get; } =
        Accepted is null ? null
        : Checkpoint.TryParse(Accepted.Text, out var seen) ? seen
        : throw new WitnessMemoryException("expected a checkpoint (C2SP tlog-checkpoint), found a note that is none");
}

/// <param name="Version">Which state of the store this is; what <see cref="IWitnessStore.TrySaveAsync"/> compares. Meaningless elsewhere.</param>
public readonly record struct Remembered(WitnessMemory Memory, string Version);

/// <summary>Where a witness remembers.</summary>
public interface IWitnessStore
{
    /// <exception cref="WitnessMemoryException">What is there was not written by a witness.</exception>
    Task<Remembered> LoadAsync(string origin, CancellationToken cancellation);

    /// <summary>Replaces what was loaded; when it returns true, the new memory survives everything. False: somebody else was faster.</summary>
    Task<bool> TrySaveAsync(string origin, Remembered before, WitnessMemory next, CancellationToken cancellation);
}

/// <summary>What is remembered cannot be what this witness wrote. It goes on when a human has looked at it.</summary>
public sealed class WitnessMemoryException(string message) : Exception(message);
