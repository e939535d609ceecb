using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Cli;
using Governor.Domain.Transparency;

namespace Governor.Silo.Tests;

/// <summary>The verbs of <c>governor audit</c> that ask a silo, against a whole one.</summary>
[Collection(nameof(SiloGround))]
public sealed class AuditVerbTests(SiloGround ground) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("governor-verbs-").FullName;
    private SiloBed _bed = null!;
    private string _key = "";

    public async Task InitializeAsync()
    {
        _bed = await SiloBed.StartAsync(ground);
        await _bed.ReadyAsync();
        await File.WriteAllTextAsync(Path.Combine(_folder, "token"), _bed.Management.AdminToken);
        await DeclareAsync("web");
    }

    public async Task DisposeAsync()
    {
        await _bed.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Events_are_listed_and_an_export_of_them_verifies_offline()
    {
        var (code, table) = await RunAsync("audit", "list", "--kind", "PackExecution", "-o", "wide");
        Assert.Equal(ExitCode.Ok, code);
        Assert.StartsWith("LEAF", table, StringComparison.Ordinal);
        Assert.Contains("PackExecution/seam-tenant-ccs-dev/web-ccs-dev", table, StringComparison.Ordinal);

        var file = Path.Combine(_folder, "export");
        Assert.Equal(ExitCode.Ok, (await RunAsync("audit", "export", file)).Code);
        var verified = await GovernAsync("audit", "verify", file, "--key", _key);
        Assert.True(verified.Code == ExitCode.Ok, verified.Output);
    }

    [Fact]
    public async Task A_delivery_says_why_it_waits_in_words_and_for_machines()
    {
        var (code, text) = await RunAsync("explain", "packexecution/web-ccs-dev", "-n", "seam-tenant-ccs-dev");
        Assert.True(code == ExitCode.Ok, text);
        Assert.Contains("gate 6 TargetUnreachable: closed since", text, StringComparison.Ordinal);
        Assert.Contains("can be unblocked by: platform engineer", text, StringComparison.Ordinal);

        var (_, json) = await RunAsync("explain", "pe", "web-ccs-dev", "-n", "seam-tenant-ccs-dev", "-o", "json");
        Assert.Equal(7, JsonNode.Parse(json)!["gates"]!.AsArray().Count);
        Assert.Contains("state: Gated", (await RunAsync("explain", "pe/web-ccs-dev", "-n", "seam-tenant-ccs-dev", "-o", "yaml")).Output, StringComparison.Ordinal);
        Assert.Contains("PackInstance seam-tenant-ccs-dev/web-ccs-dev on cluster ccs-dev is Standing.", (await RunAsync("explain", "pi/web-ccs-dev", "-n", "seam-tenant-ccs-dev")).Output, StringComparison.Ordinal);

        var (missing, said) = await RunAsync("explain", "packexecution/none", "-n", "seam-tenant-ccs-dev");
        Assert.Equal((ExitCode.No, true), (missing, said.Contains("(NotFound): packexecution \"none\" not found", StringComparison.Ordinal)));
        Assert.Equal(ExitCode.Usage, (await RunAsync("explain", "pod/x")).Code);
    }

    [Fact]
    public async Task One_event_is_proved_by_a_file_that_needs_nobody()
    {
        var (_, listed) = await RunAsync("audit", "list", "--kind", "PackExecution", "-o", "json");
        var leaf = JsonNode.Parse(listed)![0]!["leaf"]!.ToString();
        var file = Path.Combine(_folder, "event.tlog-proof");

        var (code, output) = await RunAsync("audit", "prove", leaf, "--file", file, "--key", _key);
        Assert.True(code == ExitCode.Ok, output);
        Assert.Equal(ExitCode.Ok, (await GovernAsync("audit", "verify", file, "--key", _key)).Code);

        var lines = await File.ReadAllLinesAsync(file);
        lines[2] = lines[2].StartsWith("index 0", StringComparison.Ordinal) ? "index 1" : "index 0";
        await File.WriteAllTextAsync(file, string.Join('\n', lines) + "\n");
        Assert.Equal(ExitCode.No, (await GovernAsync("audit", "verify", file, "--key", _key)).Code);
    }

    [Fact]
    public async Task A_monitor_goes_on_where_it_was_and_finds_what_was_rewritten_meanwhile()
    {
        var state = Path.Combine(_folder, "state");
        var first = await RunAsync("audit", "watch", "--once", "--key", _key, "--state", state);
        Assert.True(first.Code == ExitCode.Ok, first.Output);
        await DeclareAsync("second");

        var (code, seen) = await RunAsync("audit", "watch", "--once", "--key", _key, "--state", state);
        Assert.True(code == ExitCode.Ok, seen);
        Assert.True(seen.Contains("PackExecution/seam-tenant-ccs-dev/second-ccs-dev", StringComparison.Ordinal), seen);

        // What a monitor would remember that was shown one more leaf, or other leaves, before the database was set back or rewritten.
        var remembered = JsonNode.Parse(await File.ReadAllTextAsync(state))!.AsObject();
        var tree = new MerkleFrontier((long)remembered["size"]!, Convert.FromBase64String(remembered["frontier"]!.ToString()));
        tree.Append(TreeHash.Of("shown and taken back"u8));
        await RememberAsync(state, remembered, tree);
        var rolledBack = await RunAsync("audit", "watch", "--once", "--key", _key, "--state", state);
        Assert.Equal((ExitCode.No, true), (rolledBack.Code, rolledBack.Output.Contains("it was rolled back", StringComparison.Ordinal)));

        var other = new MerkleFrontier();
        other.Append(TreeHash.Of("another first event"u8));
        await RememberAsync(state, remembered, other);
        var rewritten = await RunAsync("audit", "watch", "--once", "--key", _key, "--state", state);
        Assert.Equal((ExitCode.No, true), (rewritten.Code, rewritten.Output.Contains("history was rewritten", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Whoever_may_not_read_learns_that_and_nothing_else()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "token"), "not a token");

        var (code, output) = await RunAsync("audit", "list");

        Assert.Equal(ExitCode.Incomplete, code);
        Assert.Contains("answers 401", output, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, (await GovernAsync("audit", "list", "--server", "somewhere")).Code);
        Assert.Equal(ExitCode.Incomplete, (await GovernAsync("audit", "list", "--server", "http://127.0.0.1:1")).Code);
    }

    private static Task RememberAsync(string file, JsonObject state, MerkleFrontier tree)
    {
        state["size"] = tree.Size;
        state["frontier"] = Convert.ToBase64String(tree.Encode());
        return File.WriteAllTextAsync(file, state.ToJsonString());
    }

    /// <summary>Declares a pack, waits until its delivery is decided on, and until that is under a checkpoint.</summary>
    private async Task DeclareAsync(string pack)
    {
        await _bed.ApplyAsync($$"""
            {"apiVersion":"infra.ontai.dev/v1alpha1","kind":"ClusterPack","metadata":{"name":"{{pack}}","namespace":"seam-tenant-ccs-dev"},
             "spec":{"version":"v1.0.0-r1","registryRef":{"url":"127.0.0.1:1/packs/web","digest":"sha256:{{new string('a', 64)}}"},
                     "workloadDigest":"sha256:{{new string('a', 64)}}","basePackName":"{{pack}}","targetClusters":["ccs-dev"] } }
            """);
        using var admin = _bed.Admin();
        await SiloBed.UntilAsync(
            admin, $"/api/v1/audit/events?kind=PackExecution&name={pack}-ccs-dev", HttpStatusCode.OK, text => text.Contains("gate-blocked", StringComparison.Ordinal));
        using var awaited = await admin.PostAsync(new Uri("/api/v1/audit/checkpoint", UriKind.Relative), null);
        var view = await awaited.Content.ReadFromJsonAsync<JsonElement>();
        _key = view.GetProperty("key").GetString()!;
    }

    private Task<(int Code, string Output)> RunAsync(params string[] arguments) =>
        GovernAsync([.. arguments, "--server", _bed.Url.ToString(), "--token-file", Path.Combine(_folder, "token")]);

    private static async Task<(int Code, string Output)> GovernAsync(params string[] arguments)
    {
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        var code = await GovernorCommand.RunAsync(arguments, output, output);
        return (code, output.ToString());
    }
}
