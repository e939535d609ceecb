using Governor.Domain.Kinds;
using Governor.Sandbox.Auth;
using Governor.Sandbox.Discovery;

namespace Governor.Sandbox.Api;

/// <summary>One request to a resource, as the write path sees it; controllers make their own.</summary>
internal sealed record RequestContext(UserIdentity User, ServedResource Resource, string Namespace, string Name, string Subresource)
{
    public bool DryRun { get; init; }
    public string FieldManager { get; init; } = "";
    public string FieldValidation { get; init; } = "Warn";
    public bool Force { get; init; }

    /// <summary>The parameter fieldManager as it was sent, empty without it.</summary>
    public string ManagerAsSent { get; init; } = "";

    /// <summary>The parameter fieldValidation as it was sent, empty without it.</summary>
    public string ValidationAsSent { get; init; } = "";

    /// <summary>One of many objects of a deletecollection.</summary>
    public bool IsCollection { get; init; }

    /// <summary>Whoever asked has gone away.</summary>
    public CancellationToken Aborted { get; init; }

    /// <summary>The body is a change, not an object.</summary>
    public bool IsPatch { get; init; }

    /// <summary>Sent as Warning headers.</summary>
    public List<string> Warnings { get; } = [];

    public ObjectKey Key => new(Namespace, Name);

    public bool IsStatus => Subresource == "status";
}
