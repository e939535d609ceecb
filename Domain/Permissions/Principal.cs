using System.Text.Json.Serialization;
using Orleans;

namespace Governor.Domain.Permissions;

[JsonConverter(typeof(JsonStringEnumConverter<PrincipalKind>))]
public enum PrincipalKind
{
    ServiceAccount,
    User,
    Group,
}

/// <summary>
/// A principal reference taken apart: <c>system:serviceaccount:{namespace}:{name}</c>, <c>system:group:{name}</c>, otherwise a named
/// identity. Both prefixes are in the part of the users' names that Kubernetes keeps for itself, so no person is called so.
/// </summary>
/// <param name="Namespace">Empty for whoever is no service account.</param>
[GenerateSerializer, Immutable]
public readonly record struct Principal(PrincipalKind Kind, string Namespace, string Name)
{
    public const string ServiceAccountPrefix = "system:serviceaccount:";

    public const string GroupPrefix = "system:group:";

    /// <summary>The reference to a group, by the name that the API server knows it under.</summary>
    public static string OfGroup(string name) => $"{GroupPrefix}{name}";

    public static Principal Parse(string reference)
    {
        if (reference.StartsWith(GroupPrefix, StringComparison.Ordinal) && reference.Length > GroupPrefix.Length)
            return new Principal(PrincipalKind.Group, "", reference[GroupPrefix.Length..]);
        if (!reference.StartsWith(ServiceAccountPrefix, StringComparison.Ordinal))
            return new Principal(PrincipalKind.User, "", reference);
        var rest = reference[ServiceAccountPrefix.Length..];
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && colon < rest.Length - 1
            ? new Principal(PrincipalKind.ServiceAccount, rest[..colon], rest[(colon + 1)..])
            : new Principal(PrincipalKind.User, "", reference);
    }
}
