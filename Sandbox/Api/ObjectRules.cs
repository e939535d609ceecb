using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Governor.Sandbox.Discovery;

namespace Governor.Sandbox.Api;

/// <summary>The rules that metadata keeps to, whatever the kind.</summary>
internal static partial class ObjectRules
{
    private const string SubdomainText = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    private const string LabelText = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    private const string LabelValueText = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    private const string QualifiedNameText = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

    private static readonly string[] StandardFinalizers = ["foregroundDeletion", "orphan", "kubernetes"];

    public static List<Cause> Metadata(ServedResource resource, JsonObject metadata)
    {
        var causes = new List<Cause>();
        var name = metadata.Text("name");
        var generateName = metadata.Text("generateName");
        if (generateName.Length > 0 && NameFault(resource, generateName.TrimEnd('-') + "a") is { } prefixFault)
            causes.Add(Cause.Invalid("metadata.generateName", Quote(generateName), prefixFault));
        if (name.Length == 0)
            causes.Add(Cause.Required("metadata.name", "name or generateName is required"));
        else if (NameFault(resource, name) is { } fault)
            causes.Add(Cause.Invalid("metadata.name", Quote(name), fault));
        CheckLabels(metadata, causes);
        CheckFinalizers(resource, metadata, causes);
        CheckOwners(metadata, causes);
        return causes;
    }

    /// <summary>What an update may not do to metadata.</summary>
    public static List<Cause> MetadataUpdate(JsonObject before, JsonObject after)
    {
        var causes = new List<Cause>();
        if (before.Text("deletionTimestamp").Length == 0)
            return causes;
        var added = after.List("finalizers").Texts().Except(before.List("finalizers").Texts()).ToArray();
        if (added.Length > 0)
            causes.Add(Cause.Forbidden("metadata.finalizers",
                $"no new finalizers can be added if the object is being deleted, found new finalizers []string{{{string.Join(", ", added.Select(Quote))}}}"));
        return causes;
    }

    /// <summary>Why a label's value is refused; null when it is fine.</summary>
    public static string? LabelValueFault(string value) =>
        value.Length > 63 ? "must be no more than 63 characters" : LabelValue().IsMatch(value) ? null : LabelValueText;

    /// <exception cref="ApiException">400 when metadata does not have the shape that Go's structs have.</exception>
    public static void CheckShape(ServedResource resource, JsonObject o)
    {
        if (!o.TryGetPropertyValue("metadata", out var node) || node is null)
            return;
        if (node is not JsonObject metadata)
            throw CannotHandle(resource, $"json: cannot unmarshal {Name(node)} into Go struct field {resource.Gvk.Kind}.metadata of type v1.ObjectMeta");
        foreach (var map in (ReadOnlySpan<string>)["labels", "annotations"])
            foreach (var (_, value) in metadata.Child(map) ?? [])
                if (value is not null && value.GetValueKind() != JsonValueKind.String)
                    throw CannotHandle(resource, $"json: cannot unmarshal {Name(value)} into Go struct field ObjectMeta.{map} of type string");
        foreach (var text in (ReadOnlySpan<string>)["name", "namespace", "generateName", "resourceVersion", "uid"])
            if (metadata.TryGetPropertyValue(text, out var value) && value is not null && value.GetValueKind() != JsonValueKind.String)
                throw CannotHandle(resource, $"json: cannot unmarshal {Name(value)} into Go struct field ObjectMeta.{text} of type string");
    }

    public static ApiException CannotHandle(ServedResource resource, string why) =>
        ApiException.BadRequest($"{resource.Gvk.Kind} in version \"{resource.Gvk.Version}\" cannot be handled as a {resource.Gvk.Kind}: {why}");

    private static string? NameFault(ServedResource resource, string name)
    {
        if (resource.NamesArePaths)
            return name is "." or ".." ? $"may not be '{name}'" : name.Contains('/', StringComparison.Ordinal) ? "may not contain '/'" : name.Contains('%', StringComparison.Ordinal) ? "may not contain '%'" : null;
        if (name.Length > (resource.NamesAreLabels ? 63 : 253))
            return $"must be no more than {(resource.NamesAreLabels ? 63 : 253)} characters";
        return resource.NamesAreLabels ? (DnsLabel().IsMatch(name) ? null : LabelText) : Subdomain().IsMatch(name) ? null : SubdomainText;
    }

    private static void CheckLabels(JsonObject metadata, List<Cause> causes)
    {
        foreach (var (key, value) in metadata.Child("labels") ?? [])
        {
            if (QualifiedNameFault(key) is { } keyFault)
                causes.Add(Cause.Invalid("metadata.labels", Quote(key), keyFault));
            if (value is JsonValue v && v.TryGetValue<string>(out var text) && LabelValueFault(text) is { } fault)
                causes.Add(Cause.Invalid("metadata.labels", Quote(text), fault));
        }
        foreach (var (key, _) in metadata.Child("annotations") ?? [])
            if (QualifiedNameFault(key.ToLowerInvariant()) is { } keyFault)
                causes.Add(Cause.Invalid("metadata.annotations", Quote(key), keyFault));
        var size = (metadata.Child("annotations") ?? []).Sum(p => Encoding.UTF8.GetByteCount(p.Key) + Encoding.UTF8.GetByteCount(p.Value?.ToString() ?? ""));
        if (size > 256 * 1024)
            causes.Add(new Cause("FieldValueTooLong", "Too long: must have at most 262144 bytes", "metadata.annotations"));
    }

    private static void CheckFinalizers(ServedResource resource, JsonObject metadata, List<Cause> causes)
    {
        var finalizers = metadata.List("finalizers").Texts().ToArray();
        for (var i = 0; i < finalizers.Length; i++)
            if (QualifiedNameFault(finalizers[i]) is { } fault)
                causes.Add(Cause.Invalid("metadata.finalizers", Quote(finalizers[i]), fault));
            else if (!resource.IsCustom && resource.Id != KindTable.Definitions && !finalizers[i].Contains('/', StringComparison.Ordinal) && !StandardFinalizers.Contains(finalizers[i]))
                causes.Add(Cause.Invalid($"metadata.finalizers[{i}]", Quote(finalizers[i]), "name is neither a standard finalizer name nor is it fully qualified"));
        if (finalizers.Contains("orphan") && finalizers.Contains("foregroundDeletion"))
            causes.Add(Cause.Invalid("metadata.finalizers", $"[]string{{{string.Join(", ", finalizers.Select(Quote))}}}",
                "finalizer orphan and foregroundDeletion cannot be both set"));
    }

    private static void CheckOwners(JsonObject metadata, List<Cause> causes)
    {
        var owners = metadata.List("ownerReferences")?.OfType<JsonObject>().ToArray() ?? [];
        for (var i = 0; i < owners.Length; i++)
            foreach (var field in (ReadOnlySpan<string>)["apiVersion", "kind", "name", "uid"])
                if (owners[i].Text(field).Length == 0)
                    causes.Add(Cause.Invalid($"metadata.ownerReferences.{field}", "\"\"", field == "apiVersion" ? "version must not be empty" : $"{field} must not be empty"));
        if (owners.Count(o => o.Flag("controller")) > 1)
            causes.Add(Cause.Invalid("metadata.ownerReferences", "\"\"", "Only one reference can have Controller set to true"));
    }

    private static string? QualifiedNameFault(string key)
    {
        var slash = key.IndexOf('/', StringComparison.Ordinal);
        var prefix = slash < 0 ? "a" : key[..slash];
        var name = key[(slash + 1)..];
        if (!Subdomain().IsMatch(prefix))
            return "prefix part " + SubdomainText;
        if (name.Length > 63)
            return "name part must be no more than 63 characters";
        return QualifiedName().IsMatch(name) ? null : QualifiedNameText;
    }

    private static string Quote(string text) => JsonText.Compacted(JsonValue.Create(text));

    private static string Name(JsonNode node) => node.GetValueKind() switch
    {
        JsonValueKind.True or JsonValueKind.False => "bool",
        var kind => kind.ToString().ToLowerInvariant(),
    };

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\z")]
    private static partial Regex Subdomain();

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex DnsLabel();

    [GeneratedRegex(@"\A(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?\z")]
    private static partial Regex LabelValue();

    [GeneratedRegex(@"\A([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]\z")]
    private static partial Regex QualifiedName();
}
