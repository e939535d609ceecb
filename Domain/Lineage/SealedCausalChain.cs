using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Lineage;

/// <summary>Why an object exists: the closed list of the SealedCausalChain schema.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CreationRationale>))]
public enum CreationRationale
{
    ClusterProvision,
    ClusterDecommission,
    SecurityEnforcement,
    PackExecution,
    VirtualizationFulfillment,
    ConductorAssignment,
    VortexBinding,
}

/// <summary><c>spec.lineage</c>: the root declaration that caused an object. Sealed when the object is made, never changed.</summary>
[GenerateSerializer, Immutable]
public sealed record SealedCausalChain(
    string RootKind, string RootName, string RootNamespace, string RootUid,
    string OperatorName, string OperatorVersion, CreationRationale Rationale, long RootGeneration)
{
    public const string OperatorVersionNow = "0.1.0";

    public static SealedCausalChain Of(string rootKind, ObjectKey root, string rootUid, string operatorName, CreationRationale rationale, long rootGeneration) =>
        new(rootKind, root.Name, root.Namespace, rootUid, operatorName, OperatorVersionNow, rationale, rootGeneration);

    /// <summary>The chain of an object, or null where it has none that can be read: such an object is its own root.</summary>
    public static SealedCausalChain? Read(KubeObject item)
    {
        if (item.Find("spec", "lineage") is not { ValueKind: JsonValueKind.Object } found)
            return null;
        var uid = item.FindText("spec", "lineage", "rootUID");
        if (uid.Length == 0 || !Enum.TryParse<CreationRationale>(item.FindText("spec", "lineage", "creationRationale"), out var rationale))
            return null;
        return new SealedCausalChain(
            item.FindText("spec", "lineage", "rootKind"), item.FindText("spec", "lineage", "rootName"), item.FindText("spec", "lineage", "rootNamespace"), uid,
            item.FindText("spec", "lineage", "creatingOperator", "name"), item.FindText("spec", "lineage", "creatingOperator", "version"), rationale,
            found.TryGetProperty("rootGenerationAtCreation", out var generation) && generation.TryGetInt64(out var number) ? number : 0);
    }

    public JsonObject ToJson() => new()
    {
        ["rootKind"] = RootKind,
        ["rootName"] = RootName,
        ["rootNamespace"] = RootNamespace,
        ["rootUID"] = RootUid,
        ["creatingOperator"] = new JsonObject { ["name"] = OperatorName, ["version"] = OperatorVersion },
        ["creationRationale"] = Rationale.ToString(),
        ["rootGenerationAtCreation"] = RootGeneration,
    };
}
