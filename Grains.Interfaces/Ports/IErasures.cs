namespace Governor.Grains.Interfaces.Ports;

/// <summary>Erases payloads of the audit trail: the one change that it allows.</summary>
public interface IErasures
{
    /// <summary>
    /// Erases the payload of one record. The database itself demands the committed event <c>audit.erasure-approved</c> about this
    /// record; an erased payload stays erased, so that it may be called again.
    /// </summary>
    /// <param name="approval">The commit of that event.</param>
    /// <exception cref="InvalidOperationException">There is no such record or no such approval, or the record is about the trail itself.</exception>
    Task EraseAsync(long leaf, Guid approval, CancellationToken cancellation);
}
