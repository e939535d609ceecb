using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Cli;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Grains.Interfaces;
using Governor.Manifests;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans;

namespace Governor.Silo.Tests;

/// <summary>Who may do what, asked of a whole silo by people whom the management cluster knows.</summary>
[Collection(nameof(SiloGround))]
public sealed class PermissionServiceTests(SiloGround ground) : IAsyncLifetime
{
    private const string Cluster = "ccs-asked";
    private const string Runner = "system:serviceaccount:blue:runner";

    private SiloBed _bed = null!;

    public async Task InitializeAsync()
    {
        _bed = await SiloBed.StartAsync(ground);
        await _bed.ReadyAsync();
        foreach (var role in ManifestReader.Read(await File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName(SiloBed.RoleFile())!, "permission-reader.yaml")), "permission-reader.yaml"))
            await _bed.ApplyAsync(role);
        await _bed.ApplyAsync("""
            {"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRoleBinding","metadata":{"name":"askers"},"subjects":[{"kind":"Group","name":"askers","apiGroup":"rbac.authorization.k8s.io"}],
            "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"ClusterRole","name":"governor-permission-reader"} }
            """);
        await TellAsync(new PolicyStanding(PlatformCeiling.Policy, null, null) { Version = 1 });
        await TellAsync(Granting("web", Runner, 1, Rule("", "pods", "get,list"), Rule("apps", "deployments", "get", "web")));
        await TellAsync(Granting("dan", "dan", 1, Rule("", "pods", "get")));
    }

    public async Task DisposeAsync() => await _bed.DisposeAsync();

    private HttpClient Asker => _bed.Client(_bed.Management.TokenFor("ann", "askers"));

    private HttpClient Dan => _bed.Client(_bed.Management.TokenFor("dan"));

    [Fact]
    public async Task A_question_is_answered_with_its_reason_and_says_how_old_it_is()
    {
        var allowed = await OkAsync(Asker, "check", new { principal = Runner, cluster = Cluster, resource = "pods", verb = "get" });
        Assert.Equal((true, "granted: get,list core/pods"), (allowed["allowed"]!.GetValue<bool>(), allowed["reason"]!.ToString()));
        var knowledge = allowed["knowledge"]!;
        Assert.StartsWith("sha256:", knowledge["snapshotVersion"]!.ToString(), StringComparison.Ordinal);
        Assert.Equal(("Fresh", true), (knowledge["freshness"]!.ToString(), knowledge["observing"]!.GetValue<bool>()));
        Assert.True(knowledge["committedVersion"]!.GetValue<long>() >= 3, knowledge.ToJsonString());
        Assert.True(knowledge["generatedAt"]!.GetValue<DateTimeOffset>() <= knowledge["confirmedAt"]!.GetValue<DateTimeOffset>(), knowledge.ToJsonString());

        Assert.False(await AllowedAsync(Asker, new { principal = Runner, cluster = Cluster, resource = "pods", verb = "delete" }));
        Assert.False(await AllowedAsync(Asker, new { principal = Runner, cluster = Cluster, apiGroup = "apps", resource = "deployments", verb = "get" }));
        Assert.True(await AllowedAsync(Asker, new { principal = Runner, cluster = Cluster, apiGroup = "apps", resource = "deployments", verb = "get", resourceName = "web", @namespace = "blue" }));
        Assert.False(await AllowedAsync(Asker, new { principal = Runner, cluster = Cluster, resource = "*", verb = "get" }));

        var listed = await OkAsync(Asker, "list", new { principal = Runner, cluster = Cluster });
        Assert.Equal(
            """[{"apiGroup":"","resource":"pods","verbs":["get","list"]},{"apiGroup":"apps","resource":"deployments","verbs":["get"],"resourceNames":["web"]}]""",
            listed["rules"]!.ToJsonString());
        Assert.Empty((await OkAsync(Asker, "list", new { principal = "nobody", cluster = Cluster }))["rules"]!.AsArray());

        var who = await OkAsync(Asker, "who-can", new { cluster = Cluster, resource = "pods", verb = "get" });
        Assert.Equal($$"""["dan","{{Runner}}"]""", who["principals"]!.ToJsonString());
        Assert.Empty((await OkAsync(Asker, "who-can", new { cluster = Cluster, resource = "pods", verb = "*" }))["principals"]!.AsArray());
    }

    [Fact]
    public async Task An_explanation_names_profile_declaration_and_ceiling()
    {
        await TellAsync(new GrantFact(new ObjectKey("seam-tenant-x", "late"), null) { Version = 1, Withheld = "PolicyNotFound: none" });
        await AskUntilConfirmedAsync();

        var yes = await OkAsync(Asker, "explain", new { principal = Runner, cluster = Cluster, resource = "pods", verb = "list" });
        var evidence = yes["evidence"]![0]!;
        Assert.Equal(("Grants", "seam-tenant-x/web", "seam-tenant-x/set-web"), (evidence["verdict"]!.ToString(), evidence["profile"]!.ToString(), evidence["permissionSet"]!.ToString()));
        Assert.Equal("pods", yes["matchedRule"]!["resource"]!.ToString());

        var no = await OkAsync(Asker, "explain", new { principal = Runner, cluster = Cluster, resource = "secrets", verb = "get" });
        Assert.Null(no["matchedRule"]);
        Assert.Equal("""[{"profile":"seam-tenant-x/late","why":"PolicyNotFound: none"}]""", no["withheld"]!.ToJsonString());
        Assert.Empty((await OkAsync(Dan, "explain", new { cluster = Cluster, resource = "secrets", verb = "get" }))["withheld"]!.AsArray());
    }

    [Fact]
    public async Task Everybody_asks_about_himself_and_about_others_only_with_the_right_to()
    {
        Assert.True(await AllowedAsync(Dan, new { cluster = Cluster, resource = "pods", verb = "get" }));
        Assert.True(await AllowedAsync(Dan, new { principal = "dan", cluster = Cluster, resource = "pods", verb = "get" }));
        Assert.Single((await OkAsync(Dan, "list", new { cluster = Cluster }))["rules"]!.AsArray());

        const string Missing = "dan cannot create resource \"permissionqueries\" in API group \"security.ontai.dev\"";
        foreach (var path in (string[])["check", "explain"])
            await ProblemAsync(Dan, path, $$"""{"principal":"{{Runner}}","cluster":"{{Cluster}}","resource":"pods","verb":"get"}""", HttpStatusCode.Forbidden, Missing);
        await ProblemAsync(Dan, "list", $$"""{"principal":"{{Runner}}","cluster":"{{Cluster}}"}""", HttpStatusCode.Forbidden, Missing);
        await ProblemAsync(Dan, "who-can", $$"""{"cluster":"{{Cluster}}","resource":"pods","verb":"get"}""", HttpStatusCode.Forbidden, Missing);
        // A group gives what it has to who is in it, as the management cluster says, and to nobody who merely says so.
        await TellAsync(Granting("team", "system:group:askers", 1, Rule("", "services", "list")));
        await AskUntilConfirmedAsync();
        Assert.True(await AllowedAsync(Asker, new { cluster = Cluster, resource = "services", verb = "list" }));
        Assert.False(await AllowedAsync(Dan, new { cluster = Cluster, resource = "services", verb = "list" }));
        Assert.True(await AllowedAsync(Asker, new { principal = "dan", groups = new[] { "askers" }, cluster = Cluster, resource = "services", verb = "list" }));
        await ProblemAsync(Dan, "check", $$"""{"cluster":"{{Cluster}}","resource":"services","verb":"list","groups":["askers"]}""", HttpStatusCode.Forbidden, "asked about 'dan' in other groups");
        await ProblemAsync(_bed.Client(_bed.Management.TokenFor("system:group:askers")), "list", $$"""{"cluster":"{{Cluster}}"}""", HttpStatusCode.Forbidden, "asked about 'system:group:askers'");
        // Not even whether there is such a cluster, or whether the question was well put.
        await ProblemAsync(Dan, "check", """{"principal":"ann","cluster":"none","resource":"Pods"}""", HttpStatusCode.Forbidden, Missing);
        foreach (var path in (string[])["check", "list", "who-can", "explain"])
            await ProblemAsync(_bed.Client(null), path, "{}", HttpStatusCode.Unauthorized, "Bearer");
    }

    [Fact]
    public async Task What_cannot_be_answered_says_why()
    {
        var cases = new (string Path, string Body, int Status, string Why)[]
        {
            ("check", """{"principal":"a","cluster":"ccs-asked","resource":"Pods","verb":""}""", 400, "body.resource: expected the plural of a resource in small letters, perhaps with /subresource, or *, found 'Pods'; body.verb: expected a verb in small letters, or *, found nothing"),
            ("check", """{"principal":"","resource":"pods","verb":"get"}""", 400, "body.principal: expected a user, system:serviceaccount:NAMESPACE:NAME or system:group:NAME, of at most 1024 characters, found nothing; body.cluster: expected the name of a governed cluster, found nothing"),
            ("check", """{"cluster":"ccs-asked","resource":"pods","verb":"get","resourcename":"a","resourceName":"b"}""", 400, "body"),
            ("check", """{"cluster":"ccs-asked","resource":"pods","verb":"get","name":"a"}""", 400, "name"),
            ("check", """{"cluster":"ccs-asked","resource":7,"verb":"get"}""", 400, "body.resource"),
            ("check", "null", 400, "expected an object, found null"),
            ("list", """{"cluster":"CCS"}""", 400, "body.cluster: expected the name of a governed cluster, found 'CCS'"),
            ("who-can", """{"cluster":"ccs-asked","resource":"pods","verb":"get","namespace":"*"}""", 400, "body.namespace: expected"),
            ("who-can", """{"cluster":"none","resource":"pods","verb":"get"}""", 404, "no permissions of cluster 'none' are committed: no RBACProfile has targeted it"),
            ("explain", """{"cluster":"none","resource":"pods","verb":"get"}""", 404, "no permissions of cluster 'none'"),
        };
        foreach (var (path, body, status, why) in cases)
            await ProblemAsync(Asker, path, body, (HttpStatusCode)status, why);
    }

    [Fact]
    public async Task What_is_taken_away_is_gone_once_it_is_confirmed_and_on_another_silo_too()
    {
        Assert.True(await AllowedAsync(Dan, new { cluster = Cluster, resource = "pods", verb = "get" }));
        await using var other = _bed.Build();
        await other.StartAsync();
        using var there = new HttpClient { BaseAddress = new Uri(other.Urls.First()), DefaultRequestHeaders = { Authorization = new("Bearer", _bed.Management.TokenFor("dan")) } };
        Assert.True(await AllowedAsync(there, new { cluster = Cluster, resource = "pods", verb = "get" }));

        await TellAsync(Granting("dan", "dan", 2));

        foreach (var silo in (HttpClient[])[Dan, there])
        {
            var answer = await AskUntilConfirmedAsync(silo);
            Assert.Equal((false, "dan has no rights on ccs-asked"), (answer["allowed"]!.GetValue<bool>(), answer["reason"]!.ToString()));
        }
        await other.StopAsync();
    }

    [Fact]
    public async Task Nothing_is_answered_from_memory_that_the_journal_does_not_confirm()
    {
        Assert.True(await AllowedAsync(Dan, new { cluster = Cluster, resource = "pods", verb = "get" }));
        await using var connection = new NpgsqlConnection(_bed.ConnectionString);
        await connection.OpenAsync();
        await RunAsync("ALTER TABLE governor.grain_state RENAME TO away");
        var gone = DateTimeOffset.UtcNow;

        var status = HttpStatusCode.OK;
        while (status == HttpStatusCode.OK)
        {
            using var answer = await PostAsync(Dan, "check", $$"""{"cluster":"{{Cluster}}","resource":"pods","verb":"get"}""");
            var text = await answer.Content.ReadAsStringAsync();
            status = answer.StatusCode;
            if (status == HttpStatusCode.OK)
                Assert.True(JsonNode.Parse(text)!["knowledge"]!["confirmedAt"]!.GetValue<DateTimeOffset>() <= gone, text);
            else
                Assert.Contains("the journal does not confirm what is known", text, StringComparison.Ordinal);
        }
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);

        await RunAsync("ALTER TABLE governor.away RENAME TO grain_state");
        Assert.True(await AllowedAsync(Dan, new { cluster = Cluster, resource = "pods", verb = "get" }));

        async Task RunAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }

    [Fact]
    public async Task The_command_line_asks_as_kubectl_does()
    {
        Assert.Equal((ExitCode.Ok, "yes"), await GovernAsync("can-i", "get", "pods", "--as", Runner, "--on", Cluster));
        Assert.Equal((ExitCode.Ok, "yes"), await GovernAsync("can-i", "get", "deployments.apps/web", "--as", Runner, "--on", Cluster, "-n", "blue"));
        Assert.Equal((ExitCode.No, $"no - no rule of {Runner} on {Cluster} allows get apps/deployments named api"), await GovernAsync("can-i", "get", "deployments.apps/api", "--as", Runner, "--on", Cluster));
        Assert.Equal((ExitCode.Ok, "yes"), await GovernAsync("can-i", "get", "pods", "--as", "dan", "--as-group", "some", "--as-group", "others", "--on", Cluster));
        Assert.Equal((ExitCode.No, ""), await GovernAsync("can-i", "get", "pods", "--subresource", "log", "--as", Runner, "--on", Cluster, "-q"));
        Assert.Equal((ExitCode.No, "no - ann has no rights on ccs-asked"), await GovernAsync("can-i", "get", "pods", "--on", Cluster));
        Assert.Equal((ExitCode.Ok, $"dan\n{Runner}"), await GovernAsync("who-can", "get", "pods", "--on", Cluster));
        Assert.Equal((ExitCode.No, ""), await GovernAsync("who-can", "*", "*.*", "--on", Cluster));

        var (code, json) = await GovernAsync("can-i", "list", "pods", "--as", Runner, "--on", Cluster, "-o", "json");
        Assert.Equal((ExitCode.Ok, true), (code, JsonNode.Parse(json)!["allowed"]!.GetValue<bool>()));

        Assert.Equal((ExitCode.Usage, "governor: resource: expected RESOURCE[.GROUP][/NAME], found 'pods/'"), await GovernAsync("can-i", "get", "pods/", "--on", Cluster));
        var (usage, said) = await GovernAsync("can-i", "Get", "pods", "--on", Cluster);
        Assert.Equal((ExitCode.Usage, true), (usage, said.Contains("body.verb: expected", StringComparison.Ordinal)));
        var (incomplete, why) = await GovernAsync("can-i", "get", "pods", "--on", "none");
        Assert.Equal((ExitCode.Incomplete, true), (incomplete, why.Contains("answers 404", StringComparison.Ordinal)));
    }

    private async Task<(int Code, string Output)> GovernAsync(params string[] arguments)
    {
        var token = Path.Combine(ground.Folder.FullName, $"token-{Guid.NewGuid():n}");
        await File.WriteAllTextAsync(token, _bed.Management.TokenFor("ann", "askers"));
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        var code = await GovernorCommand.RunAsync(["auth", .. arguments, "--server", _bed.Url.ToString(), "--token-file", token], output, output);
        return (code, output.ToString().TrimEnd('\n'));
    }

    /// <summary>Asks until the answer is of a moment after this call: then it has to know everything that was committed before.</summary>
    private async Task<JsonNode> AskUntilConfirmedAsync(HttpClient? client = null)
    {
        var since = DateTimeOffset.UtcNow;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(90));
        while (true)
        {
            patience.Token.ThrowIfCancellationRequested();
            var answer = await OkAsync(client ?? Asker, "check", new { principal = "dan", cluster = Cluster, resource = "pods", verb = "get" });
            if (answer["knowledge"]!["confirmedAt"]!.GetValue<DateTimeOffset>() > since)
                return answer;
        }
    }

    private Task TellAsync(Fact fact) => _bed.App.Services.GetRequiredService<IGrainFactory>().GetGrain<IPermissionGrain>(Cluster).TellAsync(fact);

    private static GrantFact Granting(string profile, string principal, long version, params PermissionRule[] rules)
    {
        var key = new ObjectKey("seam-tenant-x", profile);
        return new GrantFact(key, rules.Length == 0 ? null : new Grant(
            principal, key, [new GrantedDeclaration(key with { Name = $"set-{profile}" }, DeclarationScope.Cluster, [], [.. rules])],
            new PermissionCeiling(key with { Name = "policy" }, key with { Name = "maximum" }, [Rule("*", "*", "get,list")]))) { Version = version };
    }

    private static PermissionRule Rule(string group, string resource, string verbs, params string[] names) => new([group], [resource], [.. verbs.Split(',')], [.. names]);

    private static async Task<bool> AllowedAsync(HttpClient client, object question) => (await OkAsync(client, "check", question))["allowed"]!.GetValue<bool>();

    private static async Task<JsonNode> OkAsync(HttpClient client, string path, object question)
    {
        using var answer = await PostAsync(client, path, JsonSerializer.Serialize(question));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    private static Task ProblemAsync(HttpClient client, string path, string body, HttpStatusCode status, string why) =>
        JsonCall.ProblemAsync(client, $"/api/v1/permissions/{path}", body, status, why);

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, string path, string body) => JsonCall.PostAsync(client, $"/api/v1/permissions/{path}", body);
}
