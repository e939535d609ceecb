using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Admission;

/// <summary>One write as admission looks at it.</summary>
/// <param name="Operation">CREATE, UPDATE or DELETE.</param>
/// <param name="Object">What is to be stored; null on DELETE.</param>
/// <param name="Old">What is stored; null on CREATE.</param>
internal sealed record AdmissionAttempt(RequestContext Context, string Operation, JsonObject? Object, JsonObject? Old)
{
    /// <summary>The options of a delete; of other writes they follow from the context.</summary>
    public JsonObject? DeleteOptions { get; init; }

    public bool IsDryRun { get; init; }

    /// <summary>Scale is the one subresource with a kind of its own.</summary>
    public bool IsScale => Context.Subresource == "scale";

    public string Resource => Context.Resource.Plural;

    public JsonObject Options()
    {
        if (DeleteOptions is not null)
            return DeleteOptions;
        var made = new JsonObject { ["kind"] = Operation == "CREATE" ? "CreateOptions" : "UpdateOptions", ["apiVersion"] = "meta.k8s.io/v1" };
        if (IsDryRun)
            made["dryRun"] = new JsonArray("All");
        if (Context.ManagerAsSent.Length > 0)
            made["fieldManager"] = Context.ManagerAsSent;
        if (Context.ValidationAsSent.Length > 0)
            made["fieldValidation"] = Context.ValidationAsSent;
        return made;
    }
}
