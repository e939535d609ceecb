using System.Text.Json.Serialization;
using Orleans;

namespace Governor.Domain.Permissions;

[JsonConverter(typeof(JsonStringEnumConverter<PrincipalKind>))]
public enum PrincipalKind
{
    ServiceAccount,
    User,
}

/// <summary>A principal reference taken apart: <c>system:serviceaccount:{namespace}:{name}</c>, otherwise a named identity.</summary>
/// <param name="Namespace">Empty for a named identity.</param>
[GenerateSerializer, Immutable]
public readonly record struct Principal(PrincipalKind Kind, string Namespace, string Name)
{
    public const string ServiceAccountPrefix = "system:serviceaccount:";

    public static Principal Parse(string reference)
    {
        if (!reference.StartsWith(ServiceAccountPrefix, StringComparison.Ordinal))
            return new Principal(PrincipalKind.User, "", reference);
        var rest = reference[ServiceAccountPrefix.Length..];
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && colon < rest.Length - 1
            ? new Principal(PrincipalKind.ServiceAccount, rest[..colon], rest[(colon + 1)..])
            : new Principal(PrincipalKind.User, "", reference);
    }
}
