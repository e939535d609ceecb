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

    public JsonObject ToJson() => new()
    {
        ["username"] = Name,
        ["uid"] = Uid,
        ["groups"] = JsonText.ArrayOf(Groups),
    };
}
