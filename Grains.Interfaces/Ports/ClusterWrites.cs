namespace Governor.Grains.Interfaces.Ports;

/// <param name="FieldManager">Who owns what is written; empty for the client's own name.</param>
/// <param name="DryRun">Answer as if done, store nothing.</param>
/// <param name="Subresource">Write there instead of to the object itself: <c>status</c>, <c>scale</c>.</param>
public readonly record struct WriteOptions(string? FieldManager = null, bool DryRun = false, string? Subresource = null);

/// <param name="Uid">A precondition: this very object, not one that took its name.</param>
/// <param name="ResourceVersion">A precondition: nobody has changed it since.</param>
/// <param name="Propagation">What becomes of its dependents.</param>
/// <param name="DryRun">Answer as if done, delete nothing.</param>
public readonly record struct DeleteOptions(
    string? Uid = null, string? ResourceVersion = null, DeletePropagation Propagation = DeletePropagation.Background, bool DryRun = false);

/// <summary>What becomes of the dependents of an object that is deleted.</summary>
public enum DeletePropagation
{
    /// <summary>They follow it.</summary>
    Background,

    /// <summary>They go first; the object stays, being deleted, until those that block it are gone.</summary>
    Foreground,

    /// <summary>They stay, without an owner.</summary>
    Orphan,
}

/// <summary>One of the reasons of a refusal.</summary>
/// <param name="Reason">The machine-readable reason, e.g. <c>FieldValueInvalid</c>, <c>FieldManagerConflict</c>, <c>UnexpectedServerResponse</c>.</param>
/// <param name="Field">The path of the field; empty where there is none.</param>
public sealed record StatusCause(string Reason, string Field, string Message);
