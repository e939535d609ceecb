using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using Governor.Grains.Clusters;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Sieve.Tests.Support;

/// <summary>
/// What a run has left behind — every object on both clusters, every actor's committed state, every subject's audit trail — without
/// what differs from run to run by its nature: when it was, how often something was written, and what servers drew at random.
/// </summary>
internal sealed partial class Portrait
{
    private static readonly string[] AllSubjects =
        [.. typeof(Subjects).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!)];

    private static readonly JsonSerializerOptions Plain = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly SortedDictionary<string, string> _parts = new(StringComparer.Ordinal);
    private readonly List<(string Random, string Name)> _random = [];

    public IReadOnlyDictionary<string, string> Parts => _parts;

    public static async Task<Portrait> TakeAsync(World world)
    {
        var portrait = new Portrait();
        var objects = new List<(string Cluster, KubeObject Item)>();
        foreach (var (cluster, client) in ((Sandbox.SandboxCluster, ICluster)[])[(world.Management, world.ManagementClient), (world.Tenant, world.TenantClient)])
            foreach (var kind in cluster.Writes.Select(write => write.Gvk).Distinct().Where(kind => kind != KnownKinds.CustomResourceDefinition || cluster == world.Tenant))
                objects.AddRange((await client.ListAsync(kind, null, null, CancellationToken.None)).Select(item => (cluster.Name, item)));
        portrait.Name(objects, world);
        foreach (var (cluster, item) in objects)
            portrait.Add($"object {cluster} {item.Kind} {item.Key}", Canonical(portrait.Known(Lasting(item).ToJsonString(Plain))));

        var journal = world.Services.GetRequiredService<IJournal>();
        foreach (var subject in AllSubjects)
            foreach (var stored in await journal.ListAsync(subject, CancellationToken.None))
                portrait.Add($"state {stored.Grain}", $"{(stored.Pending ? "pending " : "")}{Canonical(portrait.Known(Encoding.UTF8.GetString(stored.State.Span)))}");

        var events = await world.Services.GetRequiredService<IAuditReader>().EventsAsync(new EventFilter(Limit: 10_000), CancellationToken.None);
        foreach (var chain in events.Where(e => !IsNote(e.Event)).GroupBy(e => e.Event.Subject.Chain))
            portrait.Add($"audit {chain.Key}", string.Join('\n', WithoutHaste([.. chain.OrderBy(e => e.Sequence).Select(e => e.Event)]).Select(e =>
                $"{e.Action} {e.FieldChanged}: '{Lasting(e, e.PreviousValue)}' -> '{Lasting(e, e.NewValue)}' by {e.Actor} ({e.ActorRole}), {e.ChangeType}, layer {e.Layer}, cluster '{e.Cluster}': {e.Rationale}")));
        return portrait;
    }

    /// <summary>What differs, one line per part; nothing when all is equal.</summary>
    public IReadOnlyList<string> Differences(Portrait other) =>
    [
        .. _parts.Keys.Union(other._parts.Keys).Order(StringComparer.Ordinal)
            .Where(part => _parts.GetValueOrDefault(part) != other._parts.GetValueOrDefault(part))
            .Select(part => $"--- {part}\n{Difference(_parts.GetValueOrDefault(part) ?? "", other._parts.GetValueOrDefault(part) ?? "")}"),
    ];

    private static string Difference(string expected, string found)
    {
        var (before, after) = (expected.Split('\n'), found.Split('\n'));
        var same = before.Zip(after).TakeWhile(lines => lines.First == lines.Second).Count();
        var end = before.Reverse().Zip(after.Reverse()).Take(Math.Min(before.Length, after.Length) - same).TakeWhile(lines => lines.First == lines.Second).Count();
        return string.Join('\n', [.. before[same..^end].Select(line => $"expected: {line}"), .. after[same..^end].Select(line => $"found:    {line}")]);
    }

    /// <summary>
    /// What an actor merely remembered (<c>noted</c>) is recorded once per time that it remembered something. How often that is depends on
    /// what arrived together; what came out of it is in the states, which are compared.
    /// </summary>
    private static bool IsNote(GovernanceEvent e) => e.Subject.Group == UnexplainedChange.Group;

    /// <summary>
    /// Gates that open one after the other without anything in between: a newer fact may overtake the one before, and then they open at
    /// once, in the order of their numbers. Each gate's own answers keep their order.
    /// </summary>
    private static IEnumerable<GovernanceEvent> WithoutHaste(List<GovernanceEvent> events)
    {
        for (var at = 0; at < events.Count;)
        {
            var answers = events.Skip(at).TakeWhile(e => e.FieldChanged.StartsWith("status.gates[", StringComparison.Ordinal)).ToList();
            foreach (var answer in answers.OrderBy(e => e.FieldChanged, StringComparer.Ordinal))
                yield return answer;
            at += answers.Count;
            if (answers.Count == 0)
                yield return events[at++];
        }
    }

    // Which bytes of a snapshot were signed, the time that they were made at included; "version" says what is in them without it.
    private static string? Lasting(GovernanceEvent e, string? value) =>
        e.Subject.Kind == KnownKinds.PermissionSnapshot.Kind && e.FieldChanged == "status.signed" && value is { Length: > 0 } ? "‹digest›" : value;

    private void Name(IEnumerable<(string Cluster, KubeObject Item)> objects, World world)
    {
        foreach (var (cluster, item) in objects)
        {
            if (item.Uid.Length > 0)
                _random.Add((item.Uid, $"‹{cluster} {item.Kind} {item.Key}›"));
            if (TenantClusters.RevisionOf(item.Kind == "Secret" ? item : null) is { Length: > 0 } revision)
                _random.Add((revision, "‹kubeconfig›"));
            if (item.Kind == KnownKinds.PermissionSnapshot.Kind) // it says when it was made, and that is signed with it
                foreach (var annotation in (string[])[SignaturePurpose.PermissionSnapshot.Annotation, ClusterPermissionRules.HashAnnotation])
                    if (item.Annotations.GetValueOrDefault(annotation) is { Length: > 0 } drawn)
                        _random.Add((drawn, $"‹{annotation} of {item.Key.Name}›"));
        }
        _random.Add((world.Management.Url.Authority, "‹management›"));
        _random.Add((world.Tenant.Url.Authority, "‹tenant›"));
    }

    private void Add(string part, string text) =>
        _parts[Known(part)] = Uids().Replace(Versions().Replace(Times().Replace(Known(text), "‹time›"), "${sender} v‹n›:"), "‹uid›");

    /// <summary>With what servers drew at random replaced by what it stands for.</summary>
    private string Known(string text) => _random.Aggregate(text, (known, random) => known.Replace(random.Random, random.Name, StringComparison.Ordinal));

    private static JsonObject Lasting(KubeObject item)
    {
        var lasting = item.ToJsonObject();
        var metadata = lasting["metadata"]!.AsObject();
        metadata.Remove("uid");
        metadata.Remove("resourceVersion");
        metadata.Remove("creationTimestamp");
        var managed = metadata["managedFields"]?.AsArray().Select(entry => entry!.DeepClone().AsObject()).ToList() ?? [];
        foreach (var entry in managed)
            entry.Remove("time");
        metadata["managedFields"] = new JsonArray([.. managed.OrderBy(entry => $"{entry["manager"]} {entry["subresource"]}", StringComparer.Ordinal)]);
        if (item.Kind == KnownKinds.InfrastructureLineageIndex.Kind)
            metadata.Remove("generation"); // it grows, and two entries may make one write
        if (item.Kind == "Secret")
            lasting.Remove("data"); // keys and tokens
        return lasting;
    }

    /// <summary>Sorted, one value a line.</summary>
    private static string Canonical(string json)
    {
        var lines = new List<string>();
        Walk("", JsonNode.Parse(json));
        return string.Join('\n', lines);

        void Walk(string path, JsonNode? at)
        {
            switch (at)
            {
                case JsonObject members when members.Count > 0:
                    foreach (var (name, member) in members.OrderBy(m => m.Key, StringComparer.Ordinal))
                        if (!IsCount(name, member) && name != "f:lastTransitionTime") // whoever wrote it last in the same second owns it
                            Walk($"{path}.{name}", member);
                    break;
                case JsonArray items when items.Count > 0:
                    for (var i = 0; i < items.Count; i++)
                        Walk($"{path}[{i}]", items[i]);
                    break;
                default:
                    lines.Add($"{path} = {at?.ToJsonString(Plain) ?? "null"}");
                    break;
            }
        }
    }

    // A fact carries the version of the state that it was made from: how often its sender has committed so far.
    // What snapshots were about to be written is one digest for each of their times.
    private static bool IsCount(string name, JsonNode? value) => name is "intended" || (name is "version" && value?.GetValueKind() == JsonValueKind.Number);

    // A gate's evidence names the version of its sender's state, too.
    [GeneratedRegex(@"(?<sender>\b[a-z]+/[\w./-]+) v\d+:")]
    private static partial Regex Versions();

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d|\\u002B\d\d:\d\d)")]
    private static partial Regex Times();

    [GeneratedRegex(@"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uids();
}
