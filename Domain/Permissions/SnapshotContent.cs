using System.Buffers;
using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Domain.Permissions;

/// <summary>
/// The bytes that a snapshot's version is the digest of: <see cref="CanonicalJson"/> of <c>principalPermissions</c> and
/// <c>targetCluster</c>. Whoever holds the object can make them again, whatever an API server did to the order of its keys.
/// </summary>
internal static class SnapshotContent
{
    private static readonly JsonWriterOptions Raw = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    // Written as is, these are what they are in canonical form; whatever else occurs is left to CanonicalJson.
    private static readonly SearchValues<byte> Plain = SearchValues.Create(
        "!#$%'()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~ \""u8);

    public static ReadOnlySpan<byte> Of(ClusterPermissions permissions)
    {
        var content = new ArrayBufferWriter<byte>(4096);
        using var json = new Utf8JsonWriter(content, Raw);
        json.WriteStartObject();
        json.WriteStartArray("principalPermissions");
        foreach (var held in permissions.Principals)
            Write(json, held);
        json.WriteEndArray();
        json.WriteString("targetCluster", permissions.Cluster.Value);
        json.WriteEndObject();
        json.Flush();
        return content.WrittenSpan.ContainsAnyExcept(Plain) ? CanonicalJson.Encode(content.WrittenSpan) : content.WrittenSpan;
    }

    /// <summary>The content of an object that says it is a snapshot; null when it has none.</summary>
    /// <exception cref="FormatException">There is no canonical form of it.</exception>
    public static byte[]? Of(KubeObject snapshot)
    {
        if (snapshot.Find("spec", "principalPermissions") is not { ValueKind: JsonValueKind.Array } principals
            || snapshot.Find("spec", "targetCluster") is not { ValueKind: JsonValueKind.String } cluster)
            return null;
        return [.. "{\"principalPermissions\":"u8, .. CanonicalJson.Encode(principals), .. ",\"targetCluster\":"u8, .. CanonicalJson.Encode(cluster), .. "}"u8];
    }

    /// <summary>
    /// What fits into one object. Where not all does, the principals with the most content are left out, the larger first: whoever asks
    /// for too much does not take the others' rights away.
    /// </summary>
    public static (ClusterPermissions Fitting, ImmutableArray<string> LeftOut) Fit(ClusterPermissions permissions, int mostBytes)
    {
        var total = Of(permissions).Length;
        if (total <= mostBytes)
            return (permissions, []);
        var leftOut = ImmutableArray.CreateBuilder<string>();
        var bySize = permissions.Principals.Select(held => (held.Principal, Size: Size(held)))
            .OrderByDescending(held => held.Size).ThenBy(held => held.Principal, StringComparer.Ordinal);
        foreach (var (principal, size) in bySize)
        {
            if (total <= mostBytes)
                break;
            total -= size;
            leftOut.Add(principal);
        }
        return (permissions with { Principals = [.. permissions.Principals.Where(held => !leftOut.Contains(held.Principal))] }, leftOut.ToImmutable());
    }

    private static int Size(PrincipalPermissions held)
    {
        var content = new ArrayBufferWriter<byte>(256);
        using var json = new Utf8JsonWriter(content, Raw);
        Write(json, held);
        json.Flush();
        return content.WrittenCount + 1; // and a comma
    }

    // Keys in the order of their bytes.
    private static void Write(Utf8JsonWriter json, PrincipalPermissions held)
    {
        json.WriteStartObject();
        json.WriteStartArray("allowedOperations");
        foreach (var rule in held.Rules.Where(rule => rule.Namespace.Length == 0))
            WriteOperation(json, rule, []);
        foreach (var same in held.Rules.Where(rule => rule.Namespace.Length > 0).GroupBy(WithoutNamespace))
            WriteOperation(json, same.First(), same.Select(rule => rule.Namespace));
        json.WriteEndArray();
        json.WriteString("principalRef", held.Principal);
        json.WriteEndObject();
    }

    /// <summary>Rules that differ only in their namespace are one operation.</summary>
    private static (string Group, string Resource, string Verbs, string Names) WithoutNamespace(EffectiveRule rule) =>
        (rule.ApiGroup, rule.Resource, string.Join(',', rule.Verbs), string.Join('\n', rule.ResourceNames));

    private static void WriteOperation(Utf8JsonWriter json, EffectiveRule rule, IEnumerable<string> namespaces)
    {
        json.WriteStartObject();
        json.WriteString("apiGroup", rule.ApiGroup);
        if (rule.Namespace.Length > 0)
            WriteTexts(json, "namespaces", namespaces);
        json.WriteString("resource", rule.Resource);
        if (!rule.ResourceNames.IsDefaultOrEmpty)
            WriteTexts(json, "resourceNames", rule.ResourceNames);
        WriteTexts(json, "verbs", rule.Verbs);
        json.WriteEndObject();
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }
}
