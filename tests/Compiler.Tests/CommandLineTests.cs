using System.Text.Json;
using Governor.LocalServers;

namespace Governor.Compiler.Tests;

[Collection(RegistryTests.Name)]
public sealed class CommandLineTests(RealRegistry registry)
{
    private static async Task<(int Code, string Output, string Error)> RunAsync(Dictionary<string, string>? environment, params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CompilerCommandLine.RunAsync(arguments, output, error, name => environment?.GetValueOrDefault(name), default);
        return (code, output.ToString(), error.ToString());
    }

    private string[] Build(PackFolder folder, params string[] more) =>
        ["packbuild", "--input", folder.InputFile, "--output", folder.Output, "--registry", $"{registry.Server.Host}/cli/web", .. more];

    [Fact]
    public async Task A_pack_is_built_and_the_outcome_printed_for_people()
    {
        using var folder = PackFolder.With(("a.yaml", PackFolder.ConfigMap));
        var (code, output, error) = await RunAsync(null, Build(folder));
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("v1.0.0-r1-workload", output, StringComparison.Ordinal);
        Assert.Contains($"ClusterPack seam-tenant-ccs-dev/web written to {Path.Combine(folder.Output, "web.yaml")}", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_on_stdout_is_one_document_with_everything_in_it()
    {
        using var folder = PackFolder.With(("a.yaml", PackFolder.ConfigMap));
        var (code, output, error) = await RunAsync(new() { ["SOURCE_DATE_EPOCH"] = "1767322800" }, Build(folder, "-o", "json"));
        Assert.Equal((0, ""), (code, error));
        using var document = JsonDocument.Parse(output);
        var root = document.RootElement;
        Assert.Equal(Path.Combine(folder.Output, "web.yaml"), root.GetProperty("file").GetString());
        Assert.Equal("workload", root.GetProperty("layers")[0].GetProperty("kind").GetString());
        Assert.Equal(
            root.GetProperty("layers")[0].GetProperty("digest").GetString(),
            root.GetProperty("clusterPack").GetProperty("spec").GetProperty("workloadDigest").GetString());
        Assert.Equal("2026-01-02T03:00:00Z", root.GetProperty("clusterPack").GetProperty("spec").GetProperty("provenance").GetProperty("buildTimestamp").GetString());
    }

    [Fact]
    public async Task A_timestamp_on_the_command_line_comes_before_the_environments()
    {
        using var folder = PackFolder.With(("a.yaml", PackFolder.ConfigMap));
        var (code, output, _) = await RunAsync(new() { ["SOURCE_DATE_EPOCH"] = "0" }, Build(folder, "-o", "json", "--timestamp", "2026-05-06T07:08:09Z"));
        Assert.Equal(0, code);
        Assert.Contains("2026-05-06T07:08:09Z", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bad_input_ends_with_1_and_every_problem_on_stderr()
    {
        using var folder = PackFolder.With("name: Bad\n", ("a.yaml", "kind: X"));
        var (code, output, error) = await RunAsync(null, Build(folder));
        Assert.Equal((1, ""), (code, output));
        Assert.All(error.TrimEnd().Split('\n'), line => Assert.StartsWith("error: ", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_absent_registry_ends_with_1_and_its_reason()
    {
        using var folder = PackFolder.With(("a.yaml", PackFolder.ConfigMap));
        var (code, _, error) = await RunAsync(
            null, "packbuild", "--input", folder.InputFile, "--output", folder.Output, "--registry", $"127.0.0.1:{FreePort.Next()}/x");
        Assert.Equal(1, code);
        Assert.StartsWith("error: RegistryUnreachable: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_bad_epoch_ends_with_1()
    {
        using var folder = PackFolder.With(("a.yaml", PackFolder.ConfigMap));
        var (code, _, error) = await RunAsync(new() { ["SOURCE_DATE_EPOCH"] = "yesterday" }, Build(folder));
        Assert.Equal(1, code);
        Assert.Contains("SOURCE_DATE_EPOCH: expected seconds since 1970, found 'yesterday'", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("packbuild")]
    [InlineData("packbuild", "--input", "x")]
    [InlineData("packbuild", "--input", "x", "--output", "y", "-o", "xml")]
    [InlineData("packbuild", "--input", "x", "--output", "y", "--timestamp", "yesterday")]
    [InlineData("packbuild", "--input", "x", "--output", "y", "--what")]
    [InlineData("unknown")]
    public async Task A_command_line_that_is_not_ours_ends_with_2(params string[] arguments)
    {
        var (code, _, error) = await RunAsync(null, arguments);
        Assert.Equal(2, code);
        Assert.NotEmpty(error);
    }

    [Fact]
    public async Task A_bad_option_value_for_the_registry_ends_with_2()
    {
        var (code, _, error) = await RunAsync(null, "packbuild", "--input", "x", "--output", "y", "--credentials", "/nowhere/config.json", "--insecure-host", "http://a/");
        Assert.Equal(2, code);
        Assert.Equal(2, error.TrimEnd().Split('\n').Length);
    }

    [Fact]
    public async Task Help_ends_with_0()
    {
        var (code, output, _) = await RunAsync(null, "packbuild", "--help");
        Assert.Equal(0, code);
        Assert.Contains("--input", output, StringComparison.Ordinal);
    }
}
