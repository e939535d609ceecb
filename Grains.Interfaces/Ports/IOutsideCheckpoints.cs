namespace Governor.Grains.Interfaces.Ports;

/// <summary>A checkpoint of this log that somebody keeps outside the database.</summary>
/// <param name="Where">The place, for whoever has to look there: a path, an object in a cluster.</param>
/// <param name="Note">What is kept there, as it was found: believed only as far as a key of this log signed it.</param>
public sealed record OutsideCheckpoint(string Where, string Note);

/// <summary>
/// A place outside the database where checkpoints of this log are kept. A silo asks all of them when it takes the lead of the log,
/// before it signs anything: a database that is behind one of them, or holds another history, was rolled back or forked, and signing
/// its next tree would hide that.
/// </summary>
public interface IOutsideCheckpoints
{
    /// <summary>
    /// Every checkpoint that is kept in this place now; none when there was never one. A place that cannot be asked keeps the log from
    /// being signed: answer what is known, and throw only when that is wanted.
    /// </summary>
    /// <exception cref="IOException">The place cannot be read; the message says which and why. It is asked again.</exception>
    Task<IReadOnlyList<OutsideCheckpoint>> ReadAsync(CancellationToken cancellation);
}
