using System.Text.Json;
using Governor.Domain.Kinds;
using Governor.Domain.Lineage;

namespace Governor.Domain.Admission;

/// <summary><c>/validate-lineage</c>: what was sealed at creation stays as it is (Decision 1), and an index only ever grows.</summary>
internal static class LineageCheck
{
    private const string PrincipalPath = $"metadata.annotations['{LineageNames.DeclaringPrincipal}']";

    public static IEnumerable<Objection> Judge(AdmissionRequest request, Requester who)
    {
        if (request.Subresource.Length > 0 || AdmissionPolicy.Kinds.Find(request.Kind) is not { } kind)
            return [];
        var sealing = request is { Operation: AdmissionOperation.Update, Old: { } before, Object: { } after } ? Seal(request, before, after) : [];
        return kind.Gvk == KnownKinds.InfrastructureLineageIndex ? [.. sealing, .. Index(request, who)] : sealing;
    }

    private static IEnumerable<Objection> Seal(AdmissionRequest request, KubeObject before, KubeObject after)
    {
        var verdict = SealedCausalChain.VerifyChange(before, after);
        if (!verdict.Allowed)
            yield return new Objection(
                $"lineage.{verdict.Reason} Decision-1", request.What, "spec.lineage", $"as it was sealed: {Raw(before.Find("spec", "lineage"))}", Raw(after.Find("spec", "lineage")),
                "A sealed chain is for good: declare a new object where another cause has to be shown.");
        var (was, now) = (before.Annotations.GetValueOrDefault(LineageNames.DeclaringPrincipal), after.Annotations.GetValueOrDefault(LineageNames.DeclaringPrincipal));
        if (was != now)
            yield return new Objection(
                "lineage.principal", request.What, PrincipalPath, was is null ? "none, as it was created" : $"'{was}', as it was stamped at creation", now is null ? "none" : $"'{now}'",
                "Leave the annotation out of what you apply: it says who declared the object, and is never written by hand.");
    }

    private static IEnumerable<Objection> Index(AdmissionRequest request, Requester who)
    {
        if (who is not (Requester.Operator or Requester.ClusterComponent))
            yield return new Objection(
                "lineage.authorship Decision-3", request.What, "userInfo.username", "an operator of the family, by its exact name", request.By.Name,
                "Indices are written by the lineage actor alone, and outlive their roots; an emptied namespace takes its own along.");
        if (request.Operation == AdmissionOperation.Create && request.Object!.FindText("spec", "domainRef") is { Length: > 0 } domain && domain != LineageNames.DomainRef)
            yield return new Objection(
                "lineage.domain", request.What, "spec.domainRef", $"'{LineageNames.DomainRef}' or none", $"'{domain}'", "There is one domain above every index.");
        if (request is { Operation: AdmissionOperation.Update, Old: { } before, Object: { } after })
            foreach (var objection in Growth(request, before, after))
                yield return objection;
    }

    private static IEnumerable<Objection> Growth(AdmissionRequest request, KubeObject before, KubeObject after)
    {
        var (was, now) = (before.Find("spec", "rootBinding"), after.Find("spec", "rootBinding"));
        if (!Same(was, now))
            yield return new Objection(
                "lineage.root-binding", request.What, "spec.rootBinding", $"as it was bound: {Raw(was)}", Raw(now), "A root that was declared again has an index of its own.");
        foreach (var (registry, key) in ((string, string)[])[("descendantRegistry", "uid"), ("outcomeRegistry", "derivedObjectUID")])
            foreach (var lost in Lost(before.Find("spec", registry), after.Find("spec", registry), key).Take(1))
                yield return new Objection(
                    "lineage.append-only", request.What, $"spec.{registry}[{key}={lost}]", "the entry as it was registered", "none, or another one", "Registries only grow.");
    }

    /// <summary>Entries that are missing or different.</summary>
    private static IEnumerable<string> Lost(JsonElement before, JsonElement after, string key)
    {
        var kept = Entries(after).GroupBy(entry => Key(entry, key), StringComparer.Ordinal).ToDictionary(same => same.Key, same => same.First(), StringComparer.Ordinal);
        return Entries(before).Where(entry => !kept.TryGetValue(Key(entry, key), out var now) || !JsonElement.DeepEquals(entry, now)).Select(entry => Key(entry, key));
    }

    private static JsonElement[] Entries(JsonElement list) => list.ValueKind == JsonValueKind.Array ? [.. list.EnumerateArray()] : [];

    private static string Key(JsonElement entry, string key) =>
        FieldReader.TryFind(entry, key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : entry.GetRawText();

    private static bool Same(JsonElement a, JsonElement b) =>
        a.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null
            ? b.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null
            : b.ValueKind != JsonValueKind.Undefined && JsonElement.DeepEquals(a, b);

    private static string Raw(JsonElement element) => element.ValueKind == JsonValueKind.Undefined ? "none" : element.GetRawText();
}
