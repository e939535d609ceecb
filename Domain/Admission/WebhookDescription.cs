using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Governor.Domain.Admission;

/// <summary>What becomes of a write when no silo answers.</summary>
public enum WebhookFailure
{
    Fail,
    Ignore,
}

/// <summary>Which writes a webhook wants to see.</summary>
/// <param name="Scope"><c>Namespaced</c>, <c>Cluster</c> or <c>*</c>.</param>
public sealed record WebhookRule(
    ImmutableArray<string> Operations, ImmutableArray<string> Groups, ImmutableArray<string> Resources, string Scope = "*")
{
    public JsonObject ToJson() => new()
    {
        ["operations"] = List(Operations),
        ["apiGroups"] = List(Groups),
        // Whatever a version says is judged in one of them: matchPolicy Equivalent.
        ["apiVersions"] = new JsonArray("*"),
        ["resources"] = List(Resources),
        ["scope"] = Scope,
    };

    internal static JsonArray List(IEnumerable<string> texts) => [.. texts.Select(text => JsonValue.Create(text))];
}

/// <summary>A condition on labels.</summary>
/// <param name="Operator"><c>In</c>, <c>NotIn</c> or <c>Exists</c>.</param>
public sealed record LabelCondition(string Key, string Operator, params ImmutableArray<string> Values)
{
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["key"] = Key, ["operator"] = Operator };
        if (!Values.IsEmpty)
            json["values"] = WebhookRule.List(Values);
        return json;
    }
}

/// <summary>One webhook of ours, as the API server is told of it.</summary>
/// <param name="Name">The first part of its name.</param>
/// <param name="Namespaces">Does not apply to cluster-scoped objects; of a Namespace it is asked of itself.</param>
/// <param name="Objects">Holds when the old object or the new one fulfils it, so nobody escapes by taking a label away.</param>
public sealed record WebhookDescription(
    string Name, AdmissionCall Call, WebhookFailure Failure, ImmutableArray<WebhookRule> Rules,
    ImmutableArray<LabelCondition> Namespaces, ImmutableArray<LabelCondition> Objects)
{
    public const string Domain = "admission.governor.ontai.dev";

    /// <summary>How long the API server waits, in seconds.</summary>
    public const int TimeoutSeconds = 5;

    public bool IsMutating => Call.Check == AdmissionCheck.DeclaringPrincipal;

    public string FullName => $"{Name}.{Domain}";

    /// <summary>Without a CA bundle: that is the silo's to write.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject
        {
            ["name"] = FullName,
            ["admissionReviewVersions"] = new JsonArray("v1"),
            ["clientConfig"] = new JsonObject
            {
                ["service"] = new JsonObject
                {
                    ["namespace"] = AdmissionManifests.Namespace, ["name"] = AdmissionManifests.ServiceName, ["path"] = Call.Path, ["port"] = 443,
                },
            },
            ["failurePolicy"] = Failure.ToString(),
            ["matchPolicy"] = "Equivalent",
            ["sideEffects"] = IsMutating ? "None" : "NoneOnDryRun",
            ["timeoutSeconds"] = TimeoutSeconds,
            ["rules"] = new JsonArray([.. Rules.Select(rule => rule.ToJson())]),
            ["namespaceSelector"] = Selector(Namespaces),
            ["objectSelector"] = Selector(Objects),
        };
        if (IsMutating)
            json["reinvocationPolicy"] = "IfNeeded";
        return json;
    }

    private static JsonObject Selector(ImmutableArray<LabelCondition> conditions) =>
        conditions.IsEmpty ? [] : new JsonObject { ["matchExpressions"] = new JsonArray([.. conditions.Select(condition => condition.ToJson())]) };
}
