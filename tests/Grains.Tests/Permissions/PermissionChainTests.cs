using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Memberships;
using Governor.Domain.Permissions;
using Governor.Grains.Interfaces;
using Governor.Grains.Tests.Support;

namespace Governor.Grains.Tests.Permissions;

[Collection(nameof(Ground))]
public sealed partial class PermissionChainTests(Ground ground) : IAsyncLifetime
{
    private Bed _bed = null!;

    public async Task InitializeAsync() => _bed = await Bed.StartAsync(ground);

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    [Fact]
    public async Task Every_order_of_arrival_ends_in_the_same_state()
    {
        var orders = Permutations.Of(Enumerable.Range(0, 5).ToArray()).ToArray();
        Assert.Equal(120, orders.Length);
        await Parallel.ForAsync(0, orders.Length, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            var declared = Declared.Of(ClusterOf(i));
            foreach (var at in orders[i])
                await ShowAsync(Declared.Seen(declared[at]));
        });
        for (var i = 0; i < orders.Length; i++)
            await InForceAsync(ClusterOf(i));
        await _bed.Commits.QuietAsync();

        var expected = Final(ClusterOf(0));
        for (var i = 0; i < orders.Length; i++)
        {
            Assert.Equal(expected, Final(ClusterOf(i)));
            Assert.Single(VersionsWithRights(ClusterOf(i)));
        }
    }

    [Fact]
    public async Task Without_its_policy_a_profile_is_not_provisioned_and_the_snapshot_is_empty_and_with_it_again_all_is_as_before()
    {
        var declared = Declared.Of("dev");
        foreach (var item in declared)
            await ShowAsync(Declared.Seen(item));
        await InForceAsync("dev");
        await _bed.Commits.QuietAsync();
        var before = Snapshot("dev").Version;

        await ShowAsync(Declared.Gone(declared[1]));
        await NotInForceAsync("dev");

        await ShowAsync(Declared.Seen(declared[1]));
        await InForceAsync("dev");
        Assert.Equal(before, Snapshot("dev").Version);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task When_any_other_declaration_goes_its_rights_go(int at)
    {
        var declared = Declared.Of("dev");
        foreach (var item in declared)
            await ShowAsync(Declared.Seen(item));
        await InForceAsync("dev");

        await ShowAsync(Declared.Gone(declared[at]));

        await NotInForceAsync("dev");
    }

    [Fact]
    public async Task The_statuses_and_the_snapshot_are_written_where_people_see_them()
    {
        await _bed.NamespaceAsync("seam-tenant-dev");
        await _bed.WatchAsync(KnownKinds.RBACProfile, KnownKinds.RBACPolicy, KnownKinds.PermissionSet, KnownKinds.SeamMembership);
        await _bed.DeclareAsync(Declared.Text("dev"));

        await _bed.SeenAsync(KnownKinds.RBACProfile, new("seam-tenant-dev", "web"), p => p.Find("status", "provisioned").ValueKind == JsonValueKind.True, "provisioned");
        await _bed.SeenAsync(KnownKinds.SeamMembership, new("seam-tenant-dev", "web"), m => m.Find("status", "admitted").ValueKind == JsonValueKind.True, "admitted");
        await _bed.SeenAsync(
            KnownKinds.PermissionSnapshot, new("seam-system", "snapshot-dev"),
            s => s.Find("spec", "principalPermissions").GetArrayLength() == 1 && s.FindText("status", "expectedVersion") == s.FindText("spec", "version"), "one principal");

        await _bed.DeleteAsync(KnownKinds.SeamMembership, new("seam-tenant-dev", "web"));

        await _bed.SeenAsync(KnownKinds.RBACProfile, new("seam-tenant-dev", "web"), p => p.Find("status", "provisioned").ValueKind == JsonValueKind.False, "not provisioned");
        await _bed.SeenAsync(KnownKinds.PermissionSnapshot, new("seam-system", "snapshot-dev"), s => s.Find("spec", "principalPermissions").GetArrayLength() == 0, "nobody");
    }

    [Fact]
    public async Task A_declaration_that_is_made_again_with_the_same_content_gets_its_status_again()
    {
        await _bed.NamespaceAsync("seam-tenant-dev");
        await _bed.WatchAsync(KnownKinds.PermissionSet);
        var key = new ObjectKey("seam-tenant-dev", "same");
        const string Text = """
            apiVersion: security.ontai.dev/v1alpha1
            kind: PermissionSet
            metadata: { name: same, namespace: seam-tenant-dev }
            spec:
              permissions:
              - resources: [configmaps]
                verbs: [get]
            """;
        for (var n = 0; n < 5; n++)
        {
            await _bed.DeclareAsync(Text);
            await _bed.SeenAsync(KnownKinds.PermissionSet, key, s => s.Find("status", "conditions").ValueKind == JsonValueKind.Array, $"a status, time {n}");
            await _bed.DeleteAsync(KnownKinds.PermissionSet, key);
        }
    }

    private static string ClusterOf(int i) => $"dev{i:000}";

    private Task ShowAsync(Observation seen) => _bed.Grains.GetGoverned(Routes.Of(seen.Kind, seen.Key)!.Value).ObserveAsync(seen);

    private async Task InForceAsync(string cluster)
    {
        await _bed.Commits.UntilAsync<ProfileState>(Subjects.Profile, $"seam-tenant-{cluster}/web", p => p.Verdict is { Provisioned: true }, "provisioned");
        await _bed.Commits.UntilAsync<MembershipState>(Subjects.Membership, $"seam-tenant-{cluster}/web", m => m.Verdict is { Admitted: true }, "admitted");
        await _bed.Commits.UntilAsync<PermissionState>(
            Subjects.Permission, cluster, p => p.Snapshot?.Permissions.Allows("system:serviceaccount:web:web", "", "configmaps", "list", null, "web") == true, "may list");
    }

    private async Task NotInForceAsync(string cluster)
    {
        await _bed.Commits.UntilAsync<ProfileState>(Subjects.Profile, $"seam-tenant-{cluster}/web", p => p.Verdict is not { Provisioned: true }, "not provisioned");
        await _bed.Commits.UntilAsync<PermissionState>(Subjects.Permission, cluster, p => p.Snapshot is { Permissions.Principals.IsEmpty: true }, "an empty snapshot");
    }

    private PermissionSnapshot Snapshot(string cluster) => _bed.Commits.Of(Subjects.Permission, cluster)[^1].As<PermissionState>().Snapshot!;

    private IEnumerable<string> VersionsWithRights(string cluster) => _bed.Commits.Of(Subjects.Permission, cluster)
        .Select(e => e.As<PermissionState>().Snapshot).OfType<PermissionSnapshot>().Where(s => !s.Permissions.Principals.IsEmpty).Select(s => s.Version).Distinct();

    // Everything that the actors of a cluster have committed, but for who said what when.
    private string Final(string cluster)
    {
        (string, string)[] actors =
        [
            (Subjects.Profile, $"seam-tenant-{cluster}/web"), (Subjects.Policy, $"seam-tenant-{cluster}/cluster-policy"),
            (Subjects.PermissionSet, $"seam-tenant-{cluster}/cluster-maximum"), (Subjects.PermissionSet, $"seam-tenant-{cluster}/web-reader"),
            (Subjects.Membership, $"seam-tenant-{cluster}/web"), (Subjects.Roster, $"seam-tenant-{cluster}"), (Subjects.Permission, cluster),
        ];
        var text = string.Join('\n', actors.Select(a => Timeless(JsonNode.Parse(_bed.Commits.Of(a.Item1, a.Item2)[^1].State.Span)!).ToJsonString()));
        Assert.Contains(PermissionSnapshot.VersionOf(Snapshot(cluster).Permissions), text, StringComparison.Ordinal);
        text = Moment().Replace(text, "MOMENT");
        return text.Replace(Snapshot(cluster).Version, "VERSION", StringComparison.Ordinal).Replace(cluster, "CLUSTER", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\d{4}-\d\d-\d\dT[0-9:.]+(\\u002B00:00|Z)")]
    private static partial Regex Moment();

    private static JsonNode Timeless(JsonNode node)
    {
        if (node is JsonArray array)
        {
            foreach (var item in array.OfType<JsonNode>())
                Timeless(item);
        }
        else if (node is JsonObject item)
        {
            foreach (var (name, value) in item.ToArray())
                if (name is "specDigest" or "intended" or "lastTransitionTime" or "generatedAt" or "lastProvisionedAt" or "admittedAt" || (name == "version" && value?.GetValueKind() == JsonValueKind.Number))
                    item.Remove(name);
                else if (value is not null)
                    Timeless(value);
        }
        return node;
    }
}
