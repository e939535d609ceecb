using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Auth;

/// <summary>Who sends a request.</summary>
internal sealed record UserIdentity(string Name, string Uid, IReadOnlyList<string> Groups)
{
    public static readonly UserIdentity Anonymous = new("system:anonymous", "", ["system:unauthenticated"]);

    public bool IsMaster => Groups.Contains("system:masters");

    public static UserIdentity Of(string name, string uid, IEnumerable<string> groups) =>
        new(name, uid, [.. groups.Append("system:authenticated").Distinct()]);

    public static UserIdentity ServiceAccount(string @namespace, string name, string uid) =>
        Of($"system:serviceaccount:{@namespace}:{name}", uid, ["system:serviceaccounts", $"system:serviceaccounts:{@namespace}"]);

    /// <summary>What else is known: of tokens their Pod, of impersonated users what the headers say.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Extra { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    public JsonObject ToJson()
    {
        var made = new JsonObject { ["username"] = Name };
        if (Uid.Length > 0)
            made["uid"] = Uid;
        made["groups"] = JsonText.ArrayOf(Groups);
        if (Extra.Count > 0)
            made["extra"] = new JsonObject(Extra.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)JsonText.ArrayOf(e.Value))));
        return made;
    }
}
