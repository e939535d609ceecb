using Governor.Domain.Approvals;

namespace Governor.Grains.Interfaces.Ports;

/// <summary>Erases payloads of the audit trail: the one change that it allows.</summary>
public interface IErasures
{
    /// <summary>What stands at a place of the log; null when the log is not that long, or when it was archived.</summary>
    Task<ErasureTarget?> FindAsync(long leaf, CancellationToken cancellation);

    /// <summary>
    /// Erases the payload of one record. The database itself demands that the event <c>audit.erasure-approved</c> about this
    /// record stands in the log; an erased payload stays erased, so that it may be called again.
    /// </summary>
    /// <param name="approval">The commit of that event.</param>
    /// <exception cref="ErasureRefusedException">There is no such record or no such approval, or the record is about the trail itself.</exception>
    Task EraseAsync(long leaf, Guid approval, CancellationToken cancellation);
}

/// <summary>The database does not erase this payload, and will not when it is asked again.</summary>
public sealed class ErasureRefusedException(string message, Exception? inner = null) : InvalidOperationException(message, inner);
