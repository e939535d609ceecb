using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Compiler.Packs;
using Governor.Registry;
using Microsoft.Extensions.Options;

namespace Governor.Compiler;

/// <summary><c>compiler packbuild</c>.</summary>
internal static class PackBuildCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    internal static Command Create(Func<string, string?> environment)
    {
        var input = new Option<string>("--input", "-i") { Description = "The pack's description (pack.yaml)", Required = true };
        var output = new Option<string>("--output", "-d") { Description = "The folder that {name}.yaml is written to", Required = true };
        var registry = new Option<string?>("--registry") { Description = "host[:port]/path, in the place of the description's registryUrl" };
        var format = new Option<string>("-o") { Description = "How the outcome is printed: text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var timestamp = new Option<DateTimeOffset?>("--timestamp")
        {
            Description = "The build's time for the provenance (RFC 3339); default: SOURCE_DATE_EPOCH, else none",
            CustomParser = result => Timestamp(result.Tokens[0].Value) ?? Refuse(result),
        };
        var insecure = new Option<string[]>("--insecure-host") { Description = "A host, or host:port, that is spoken to over plain http; may be repeated" };
        var credentials = new Option<string?>("--credentials") { Description = "A docker config.json; default: ~/.docker/config.json where it exists" };
        var command = new Command("packbuild", "Split raw manifests into layers, push them by digest, and write the ClusterPack for review")
        {
            input, output, registry, format, timestamp, insecure, credentials,
        };
        command.SetAction((parsed, cancellation) =>
        {
            var request = new PackBuildRequest(parsed.GetRequiredValue(input), parsed.GetRequiredValue(output))
            {
                Registry = parsed.GetValue(registry),
                Timestamp = parsed.GetValue(timestamp),
            };
            var options = new RegistryOptions
            {
                InsecureHosts = parsed.GetValue(insecure) ?? [],
                CredentialsFile = parsed.GetValue(credentials) ?? DefaultCredentials(environment),
            };
            return RunAsync(
                request, options, environment("SOURCE_DATE_EPOCH"), parsed.GetValue(format) == "json",
                parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error, cancellation);
        });
        return command;
    }

    private static async Task<int> RunAsync(
        PackBuildRequest request, RegistryOptions options, string? epoch, bool json, TextWriter output, TextWriter error, CancellationToken cancellation)
    {
        try
        {
            if (request.Timestamp is null && !string.IsNullOrEmpty(epoch))
                request = request with { Timestamp = Epoch(epoch) };
            using var client = new OciClient(options);
            var result = await PackBuild.RunAsync(request, client, cancellation).ConfigureAwait(false);
            await output.WriteLineAsync(json ? Json(result) : Text(result)).ConfigureAwait(false);
            return ExitCode.Success;
        }
        catch (PackBuildException e)
        {
            foreach (var problem in e.Problems)
                await error.WriteLineAsync($"error: {problem}").ConfigureAwait(false);
            return ExitCode.Failure;
        }
        catch (OptionsValidationException e)
        {
            foreach (var problem in e.Failures)
                await error.WriteLineAsync($"error: {problem}").ConfigureAwait(false);
            return ExitCode.Usage;
        }
        catch (RegistryException e)
        {
            await error.WriteLineAsync($"error: {e.Reason}: {e.Message}").ConfigureAwait(false);
            return ExitCode.Failure;
        }
    }

    private static string Text(PackBuildResult result) => string.Join(
        '\n',
        [
            .. result.Layers.Select(layer => $"{layer.Tag,-32} {layer.Objects.Length,4} objects  {result.Registry}@{layer.Digest}"),
            $"{result.ClusterPack} written to {result.File}; review it and apply it to the management cluster",
        ]);

    private static string Json(PackBuildResult result) => new JsonObject
    {
        ["file"] = result.File,
        ["registry"] = result.Registry.ToString(),
        ["checksum"] = result.Checksum,
        ["layers"] = new JsonArray([.. result.Layers.Select(layer => new JsonObject
        {
            ["kind"] = layer.Kind switch
            {
                PackLayerKind.Rbac => "rbac",
                PackLayerKind.ClusterScoped => "cluster-scoped",
                _ => "workload",
            },
            ["tag"] = layer.Tag,
            ["digest"] = layer.Digest.Value,
            ["mediaType"] = PackMediaTypes.Of(layer.Kind),
            ["compressedBytes"] = layer.CompressedBytes,
            ["objects"] = new JsonArray([.. layer.Objects.Select(o => JsonValue.Create(o.ToString()))]),
        })]),
        ["clusterPack"] = result.ClusterPack.ToJsonObject(),
    }.ToJsonString(Indented);

    private static DateTimeOffset? Timestamp(string text) =>
        DateTimeOffset.TryParseExact(
            text, ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : null;

    private static DateTimeOffset? Refuse(System.CommandLine.Parsing.ArgumentResult result)
    {
        result.AddError($"--timestamp: expected a time as 2026-01-02T03:04:05Z, found '{result.Tokens[0].Value}'");
        return null;
    }

    private static DateTimeOffset Epoch(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds <= DateTimeOffset.MaxValue.ToUnixTimeSeconds()
            ? DateTimeOffset.FromUnixTimeSeconds(seconds)
            : throw new PackBuildException([$"SOURCE_DATE_EPOCH: expected seconds since 1970, found '{text}'"]);

    private static string? DefaultCredentials(Func<string, string?> environment)
    {
        var folder = environment("DOCKER_CONFIG") ?? (environment("HOME") is { Length: > 0 } home ? Path.Combine(home, ".docker") : null);
        return folder is not null && Path.Combine(folder, "config.json") is var file && File.Exists(file) ? file : null;
    }
}
