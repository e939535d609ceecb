using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Lineage;

/// <summary>Why an object was created. A closed list: seed 003.</summary>
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

/// <summary>The operator, and its version, that created an object.</summary>
[GenerateSerializer, Immutable]
public sealed record CreatingOperator(string Name, string Version)
{
    /// <summary>The version of the operators in this build.</summary>
    public const string CurrentVersion = "0.1.0";
}

/// <summary>
/// The sealed causal chain of a derived object, <c>spec.lineage</c>: which root declaration caused it, and why. Written once, at creation.
/// </summary>
/// <param name="RootUid">Empty only in a chain that another implementation sealed in the published schema's form, which lacks it.</param>
/// <param name="SealedAt">When it was sealed; absent in chains of the reference implementation.</param>
/// <param name="SealedBy">The service account that sealed it, or "".</param>
[GenerateSerializer, Immutable]
public sealed record SealedCausalChain(
    string RootKind,
    string RootName,
    string RootNamespace,
    string RootUid,
    CreatingOperator CreatingOperator,
    CreationRationale CreationRationale,
    long RootGenerationAtCreation,
    DateTimeOffset? SealedAt,
    string SealedBy)
{
    private const string Path = "spec.lineage";

    /// <summary>A chain for an object that is applied again and again: always the same bytes, so without the time of sealing.</summary>
    /// <param name="creatorVersion">The version that made it first; what is sealed does not change with a newer one.</param>
    public static SealedCausalChain Of(
        string rootKind, ObjectKey root, string rootUid, string creator, CreationRationale rationale, long rootGeneration, string creatorVersion = CreatingOperator.CurrentVersion) =>
        new(rootKind, root.Name, root.Namespace, rootUid, new CreatingOperator(creator, creatorVersion), rationale, rootGeneration, null, "");

    /// <summary>Seals the chain of an object about to be created because of a root.</summary>
    /// <param name="kind">The root's kind under our name; aliases are resolved by the kind table first.</param>
    /// <exception cref="ArgumentException">The root has no UID: it was never stored, and nothing can be derived from it.</exception>
    public static SealedCausalChain Seal(
        string kind, KubeObject root, CreatingOperator creator, CreationRationale rationale, string sealedBy, DateTimeOffset now)
    {
        if (root.Uid.Length == 0)
            throw new ArgumentException($"expected a stored root with a UID, found {root} without", nameof(root));
        return new SealedCausalChain(kind, root.Name, root.Namespace, root.Uid, creator, rationale, root.Generation, WholeSeconds(now), sealedBy);
    }

    /// <summary>The chain on an object: null when it has none, otherwise the chain or everything that is wrong with it.</summary>
    public static Reading<SealedCausalChain>? Read(KubeObject source)
    {
        var lineage = source.Find("spec", "lineage");
        if (lineage.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
            return null;
        var reader = new FieldReader(source);
        if (lineage.ValueKind != JsonValueKind.Object)
        {
            reader.Fail("LineageValid", Path, "expected a sealed causal chain, found something else");
            return reader.Result<SealedCausalChain>(() => throw new InvalidOperationException("a failure was recorded"));
        }
        var isOrigin = !FieldReader.TryFind(lineage, "rootKind", out _);
        return Read(reader, lineage, isOrigin);
    }

    /// <summary><c>spec.lineage</c>: the operators' form, and the published schema's form where the seal's time is known.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["rootKind"] = RootKind,
            ["rootName"] = RootName,
            ["rootNamespace"] = RootNamespace,
            ["rootUID"] = RootUid,
            ["creatingOperator"] = new JsonObject { ["name"] = CreatingOperator.Name, ["version"] = CreatingOperator.Version },
            ["creationRationale"] = CreationRationale.ToString(),
            ["rootGenerationAtCreation"] = RootGenerationAtCreation,
        };
        if (SealedAt is not { } at)
            return json;
        json["originKind"] = RootKind;
        json["originName"] = RootName;
        json["originNamespace"] = RootNamespace;
        json["sealedAt"] = KubeTime.Format(at);
        json["sealedBy"] = SealedBy;
        return json;
    }

    /// <summary>Whether a write leaves the seal alone. Absent and null are the same; the order of keys does not matter.</summary>
    public static SealDecision VerifyChange(KubeObject before, KubeObject after)
    {
        var (old, @new) = (Present(before), Present(after));
        return (old, @new) switch
        {
            (null, null) => SealDecision.Kept,
            (null, _) => new SealDecision(false, "LineageAdded", $"{after}: {Path} can only be set when the object is created"),
            (_, null) => new SealDecision(false, "LineageRemoved", $"{after}: {Path} is sealed and cannot be removed"),
            _ => JsonElement.DeepEquals(old.Value, @new.Value)
                ? SealDecision.Kept
                : new SealDecision(false, "LineageChanged", $"{after}: {Path} is sealed; expected {old.Value.GetRawText()}, found {@new.Value.GetRawText()}"),
        };
    }

    private static Reading<SealedCausalChain> Read(FieldReader reader, JsonElement lineage, bool isOrigin)
    {
        var prefix = isOrigin ? "origin" : "root";
        var kind = reader.Name(lineage, Path, $"{prefix}Kind", "RootKindNotEmpty");
        var name = reader.Name(lineage, Path, $"{prefix}Name", "RootNameNotEmpty");
        var @namespace = reader.Text(lineage, Path, $"{prefix}Namespace");
        var uid = isOrigin ? "" : reader.Name(lineage, Path, "rootUID", "RootUidNotEmpty");
        var creator = FieldReader.TryFind(lineage, "creatingOperator", out var @operator)
            ? new CreatingOperator(reader.Text(@operator, $"{Path}.creatingOperator", "name"), reader.Text(@operator, $"{Path}.creatingOperator", "version"))
            : new CreatingOperator("", "");
        var rationale = reader.OneOf(lineage, Path, "creationRationale", "CreationRationaleValid",
            [.. Enum.GetValues<CreationRationale>().Select(value => (value.ToString(), value))]);
        var generation = FieldReader.TryFind(lineage, "rootGenerationAtCreation", out var number)
            && number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out var whole) ? whole : 0;
        var sealedAt = KubeTime.TryParse(reader.Text(lineage, Path, "sealedAt"), out var at) ? at : (DateTimeOffset?)null;
        var sealedBy = reader.Text(lineage, Path, "sealedBy");
        return reader.Result(() => new SealedCausalChain(kind, name, @namespace, uid, creator, rationale, generation, sealedAt, sealedBy));
    }

    private static JsonElement? Present(KubeObject candidate) =>
        candidate.Find("spec", "lineage") is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } lineage ? lineage : null;

    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % TimeSpan.TicksPerSecond), TimeSpan.Zero);
}

/// <summary>Whether a write may go on, and if not, why: <c>LineageAdded</c>, <c>LineageRemoved</c> or <c>LineageChanged</c>.</summary>
[GenerateSerializer, Immutable]
public sealed record SealDecision(bool Allowed, string Reason, string Message)
{
    public static SealDecision Kept { get; } = new(true, "LineageKept", "");
}
