namespace Governor.Sandbox.Tests.Fixtures;

/// <summary>Recorded sequences with streams, controllers and rights, each on a cluster that is prepared as the recorder's was.</summary>
public sealed class SequenceFixtureTests
{
    /// <summary>Exchanges whose difference is known and harmless, with the reason.</summary>
    private static readonly string[] Known =
    [
        "02-crd-invalid 2", // Go's dump of its own structs
        "02-crd-invalid 8", // rules are compiled without types here
        "02-crd-invalid 9", // the cost of rules is not estimated
        "02-crd-two-versions 5", "02-crd-two-versions 6", // the order of managedFields entries of one second
        "04-scale 2", "04-scale 4", "04-scale 6", // a status was written in between
        "05-apply-set 4 admin -> apiserver +15..+18 one gives up 2, which two still owns: managedFields[0].time", // kept, not renewed
        "06-list-limit-continue 5", // the writes in between were not recorded
        "06-table-list 1 admin -> apiserver +0..+2: rows", "06-table-list 1 admin -> apiserver +0..+2: metadata.resourceVersion", // ages, and an object that changed
        "06-table-variants 1", // an age, and the version after that change
        "08-gc-cluster-scoped-owner 5", // no Events are written
        "09-impersonation 3", // this client joins two headers of one name
        "11-configmap 1", "11-configmap 2", // their bodies were not recorded
        "11-lease 7", "11-lease 8", // a bad time in a patch is refused as a bad body
        "11-secret 4", "11-secret 5", // the contents of typed Secrets are not checked, but for TLS
        "09-self-subject-access-review 4", // the recorded server had more default roles
    ];

    private static readonly string[] Namespaces = ["fx-crud", "fx-patch", "fx-apply", "fx-list", "fx-del", "fx-auth", "fx-core", "fx-watch"];

    private SandboxCluster _cluster = null!;
    private SandboxClient _admin = null!;

    [Theory]
    [InlineData("definitions", "02-crd-apply", "02-crd-two-versions", "02-crd-invalid")]
    [InlineData("names", "02-crd-names-conflict")]
    [InlineData("relics", "02-crd-delete-blocked")]
    [InlineData("scale", "04-scale")]
    [InlineData("managers", "05-apply-create", "05-apply-second-manager", "05-apply-conflict", "05-apply-force")]
    [InlineData("removal", "05-apply-remove-field")]
    [InlineData("set", "05-apply-set")]
    [InlineData("lists", "06-list-all", "06-list-limit-selector", "06-list-continue-errors", "06-partial-metadata", "06-table-list", "06-table-variants", "06-get-resource-version")]
    [InlineData("paging", "06-list-limit-continue")]
    [InlineData("future", "06-list-future-504")]
    [InlineData("collection", "06-delete-collection")]
    [InlineData("watch-from-list", "07-watch-from-list")]
    [InlineData("watch-labels", "07-watch-label-transitions")]
    [InlineData("watch-too-old", "07-watch-too-old", "07-watch-timeout")]
    [InlineData("watch-finalizer", "07-watch-finalizer-removed")]
    [InlineData("background", "08-gc-background")]
    [InlineData("orphan", "08-gc-orphan")]
    [InlineData("two-owners", "08-gc-two-owners")]
    [InlineData("late-finalizer", "08-finalizer-add-while-deleting")]
    [InlineData("collection-finalizers", "08-delete-collection-finalizers")]
    [InlineData("reader", "09-self-subject-access-review", "09-subject-access-review", "09-impersonation")]
    [InlineData("dangling", "09-rbac-immutable-roleref")]
    [InlineData("kinds", "11-configmap", "11-lease", "11-secret")]
    [InlineData("escalation", "09-rbac-escalation")]
    public async Task Sequences_are_those_of_a_real_api_server(string topic, params string[] files)
    {
        await using var cluster = await SandboxCluster.StartAsync(new SandboxOptions($"sequence-{topic}"));
        using var admin = new SandboxClient(cluster);
        (_cluster, _admin) = (cluster, admin);
        foreach (var name in Namespaces)
            await MakeAsync("/api/v1/namespaces", "v1", "Namespace", $"\"name\":\"{name}\"");
        await new Replay(cluster).PlayAsync("02-crd-test-kinds");
        await PrepareAsync(topic);
        await cluster.IdleAsync();

        var replay = new Replay(cluster);
        var differences = new List<string>();
        foreach (var file in files)
            differences.AddRange(await replay.PlayAsync(file));

        var unknown = differences.Where(d => !Known.Any(k => d.StartsWith(k, StringComparison.Ordinal))).ToArray();
        Assert.True(unknown.Length == 0, string.Join("\n", unknown));
    }

    /// <summary>What the recorder had made before the first recorded exchange.</summary>
    private Task PrepareAsync(string topic) => topic switch
    {
        "names" => DefineAsync("sprockets", "Sprocket", "spr"),
        "relics" => DefineAsync("relics", "Relic", ""),
        "scale" => WidgetAsync("fx-patch", "sc"),
        "removal" => AppliedAsync(),
        "lists" or "paging" => WidgetsAsync(7),
        "collection" => CollectionAsync(),
        "watch-labels" => WidgetAsync("fx-watch", "two"),
        "watch-from-list" => WatchedAsync(),
        "watch-finalizer" => WidgetAsync("fx-watch", "fin", "\"finalizers\":[\"fixtures.governor.dev/a\",\"fixtures.governor.dev/b\"]"),
        "background" => BackgroundAsync(),
        "orphan" => OrphanAsync(),
        "two-owners" => TwoOwnersAsync(),
        "late-finalizer" => LateAsync(),
        "collection-finalizers" => HeldCollectionAsync(),
        "reader" => ReaderAsync(),
        "escalation" => RoleWriterAsync(),
        _ => Task.CompletedTask,
    };

    private async Task AppliedAsync()
    {
        const string path = "/apis/fixtures.governor.dev/v1/namespaces/fx-apply/widgets/rm";
        foreach (var (manager, spec) in ((string, string)[])[("one", "\"size\":4,\"color\":\"green\",\"note\":\"mine\",\"steps\":[\"s\"]"), ("two", "\"size\":4,\"note\":\"mine\"")])
            await _admin.ApplyAsync(path, $$$"""{"apiVersion":"fixtures.governor.dev/v1","kind":"Widget","metadata":{"name":"rm"},"spec":{ {{{spec}}} } }""", manager);
    }

    private async Task WidgetsAsync(int count)
    {
        for (var i = 0; i < count; i++)
            await WidgetAsync("fx-list", $"w{i}", $"\"labels\":{{\"n\":\"{i}\",\"parity\":\"{(i % 2 == 0 ? "even" : "odd")}\"}}", $"\"size\":{i + 1}");
    }

    private async Task WatchedAsync()
    {
        await WidgetAsync("fx-watch", "one");
        await WidgetAsync("fx-watch", "two");
    }

    private async Task CollectionAsync()
    {
        for (var i = 0; i < 3; i++)
            await WidgetAsync("fx-list", $"dc{i}", "\"labels\":{\"dc\":\"y\"}");
    }

    private async Task HeldCollectionAsync()
    {
        await WidgetAsync("fx-del", "c1", "\"labels\":{\"c\":\"y\"}");
        await WidgetAsync("fx-del", "c2", "\"labels\":{\"c\":\"y\"},\"finalizers\":[\"fixtures.governor.dev/hold\"]");
    }

    private async Task BackgroundAsync()
    {
        var uid = (await WidgetAsync("fx-del", "bg")).Uid;
        await ConfigMapAsync("bg-2", Owner("bg", uid, ",\"controller\":true,\"blockOwnerDeletion\":true"));
        await ConfigMapAsync("bg-1", Owner("bg", uid));
        await WidgetAsync("fx-del", "bg-3", $"\"ownerReferences\":[{Owner("bg", uid)}]");
    }

    private async Task OrphanAsync() => await ConfigMapAsync("or-1", Owner("or", (await WidgetAsync("fx-del", "or")).Uid));

    private async Task TwoOwnersAsync()
    {
        var (a, b) = ((await WidgetAsync("fx-del", "own-a")).Uid, (await WidgetAsync("fx-del", "own-b")).Uid);
        await ConfigMapAsync("two", $"{Owner("own-a", a)},{Owner("own-b", b)}");
    }

    private async Task LateAsync()
    {
        await WidgetAsync("fx-del", "late", "\"finalizers\":[\"fixtures.governor.dev/a\"]");
        await _admin.DeleteAsync("/apis/fixtures.governor.dev/v1/namespaces/fx-del/widgets/late");
    }

    private async Task ReaderAsync()
    {
        await WidgetAsync("fx-auth", "a");
        await RoleAsync("roles", "Role", "reader", "\"apiGroups\":[\"fixtures.governor.dev\"],\"resources\":[\"widgets\"],\"verbs\":[\"get\",\"list\"]");
        await BindAsync("rolebindings", "RoleBinding", "reader", "Role", "reader", "{\"kind\":\"User\",\"name\":\"plain-user\"}");
    }

    private async Task RoleWriterAsync()
    {
        await RoleAsync("clusterroles", "ClusterRole", "fx-role-writer",
            "\"apiGroups\":[\"rbac.authorization.k8s.io\"],\"resources\":[\"roles\",\"rolebindings\",\"clusterroles\"],\"verbs\":[\"get\",\"list\",\"create\",\"update\",\"patch\",\"delete\"]");
        await BindAsync("clusterrolebindings", "ClusterRoleBinding", "fx-role-writer", "ClusterRole", "fx-role-writer", "{\"kind\":\"User\",\"name\":\"role-writer\"}");
        await RoleAsync("roles", "Role", "reader", "\"apiGroups\":[\"fixtures.governor.dev\"],\"resources\":[\"widgets\"],\"verbs\":[\"get\",\"list\"]");
        await BindAsync("rolebindings", "RoleBinding", "reader", "Role", "reader", "{\"kind\":\"User\",\"name\":\"role-writer\"}");
    }

    private async Task DefineAsync(string plural, string kind, string shortName)
    {
        await MakeAsync("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", "apiextensions.k8s.io/v1", "CustomResourceDefinition", $"\"name\":\"{plural}.fixtures.governor.dev\"", $$$"""
            ,"spec":{"group":"fixtures.governor.dev","scope":"Namespaced","names":{"plural":"{{{plural}}}","kind":"{{{kind}}}"{{{(shortName.Length > 0 ? $",\"shortNames\":[\"{shortName}\"]" : "")}}}},
            "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true} } } } }]}
            """);
        await _cluster.IdleAsync();
    }

    private Task<Answer> WidgetAsync(string ns, string name, string metadata = "", string spec = "\"size\":3") =>
        MakeAsync($"/apis/fixtures.governor.dev/v1/namespaces/{ns}/widgets", "fixtures.governor.dev/v1", "Widget",
            $"\"name\":\"{name}\"{(metadata.Length > 0 ? "," + metadata : "")}", $",\"spec\":{{{spec}}}");

    private Task<Answer> ConfigMapAsync(string name, string owners) =>
        MakeAsync("/api/v1/namespaces/fx-del/configmaps", "v1", "ConfigMap", $"\"name\":\"{name}\",\"ownerReferences\":[{owners}]", ",\"data\":{\"k\":\"v\"}");

    private Task<Answer> RoleAsync(string plural, string kind, string name, string rule) => MakeAsync(
        $"/apis/rbac.authorization.k8s.io/v1/{(kind == "Role" ? "namespaces/fx-auth/" : "")}{plural}", "rbac.authorization.k8s.io/v1", kind, $"\"name\":\"{name}\"", $",\"rules\":[{{{rule}}}]");

    private Task<Answer> BindAsync(string plural, string kind, string name, string roleKind, string role, string subject) => MakeAsync(
        $"/apis/rbac.authorization.k8s.io/v1/{(kind == "RoleBinding" ? "namespaces/fx-auth/" : "")}{plural}", "rbac.authorization.k8s.io/v1", kind, $"\"name\":\"{name}\"",
        $",\"roleRef\":{{\"apiGroup\":\"rbac.authorization.k8s.io\",\"kind\":\"{roleKind}\",\"name\":\"{role}\"}},\"subjects\":[{subject}]");

    private async Task<Answer> MakeAsync(string path, string apiVersion, string kind, string metadata, string rest = "")
    {
        var made = await _admin.PostAsync(path, $$$"""{"apiVersion":"{{{apiVersion}}}","kind":"{{{kind}}}","metadata":{ {{{metadata}}} }{{{rest}}} }""");
        Assert.True(made.Code == 201, made.Text);
        return made;
    }

    private static string Owner(string name, string uid, string more = "") =>
        $"{{\"apiVersion\":\"fixtures.governor.dev/v1\",\"kind\":\"Widget\",\"name\":\"{name}\",\"uid\":\"{uid}\"{more}}}";
}
