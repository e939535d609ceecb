using System.ComponentModel;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Kubeconfig;

/// <summary>
/// A credential plugin (client.authentication.k8s.io): a program that prints an ExecCredential. Run without a shell and without a
/// terminal, for a bounded time, by one caller at a time; its answer is kept until it expires or is refused.
/// </summary>
internal sealed class ExecPlugin : Credential
{
    private const int MaxOutputBytes = 1024 * 1024;

    // Renewed a little early, so that a token does not expire on its way.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);

    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly ProcessStartInfo _start;
    private readonly string _apiVersion;
    private readonly string _installHint;
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private volatile Answer? _answer;
    private volatile ClientCertificate? _certificate;

    private ExecPlugin(ProcessStartInfo start, string apiVersion, string installHint, TimeSpan timeout, TimeProvider time)
    {
        _start = start;
        _apiVersion = apiVersion;
        _installHint = installHint;
        _timeout = timeout;
        _time = time;
    }

    /// <param name="config">What the kubeconfig's cluster holds for the plugin alone (extension <c>client.authentication.k8s.io/exec</c>).</param>
    public static ExecPlugin Read(KubeconfigNode exec, string command, ClusterEndpoint endpoint, JsonNode? config, TimeSpan timeout, TimeProvider time)
    {
        var apiVersion = exec["apiVersion"].RequiredText("client.authentication.k8s.io/v1");
        if (apiVersion is not ("client.authentication.k8s.io/v1" or "client.authentication.k8s.io/v1beta1"))
            throw exec["apiVersion"].Unexpected("client.authentication.k8s.io/v1", $"'{apiVersion}'");
        if (exec["interactiveMode"].Text() == "Always")
            throw exec["interactiveMode"].Unexpected("Never or IfAvailable (there is nobody to ask)", "'Always'");
        var start = new ProcessStartInfo(command)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var argument in exec["args"].Items())
            start.ArgumentList.Add(argument.Text() ?? "");
        foreach (var variable in exec["env"].Items())
            start.Environment[variable["name"].RequiredText("a name")] = variable["value"].Text() ?? "";
        start.Environment["KUBERNETES_EXEC_INFO"] = Request(apiVersion, exec["provideClusterInfo"].Flag() ? endpoint : null, config);
        return new ExecPlugin(start, apiVersion, exec["installHint"].Text() ?? "", timeout, time);
    }

    // Outlives the answer that it came with: without it for an instant, a request would go out as nobody.
    public override ClientCertificate? Certificate => _certificate;

    public override async ValueTask<string?> TokenAsync(CancellationToken cancellation)
    {
        if (Current() is { } known)
            return known.Token;
        await _one.WaitAsync(cancellation);
        try
        {
            if (Current() is { } meanwhile)
                return meanwhile.Token;
            var answer = Parse(await RunAsync(cancellation));
            _certificate = answer.Certificate;
            _answer = answer;
            return answer.Token;
        }
        finally
        {
            _one.Release();
        }
    }

    public override bool Refused()
    {
        _answer = null;
        return true;
    }

    public override void Dispose()
    {
        _one.Dispose();
        _certificate?.Dispose();
        base.Dispose();
    }

    private Answer? Current() => _answer is { } answer && (answer.Expires is not { } end || _time.GetUtcNow() < end - Margin) ? answer : null;

    private async Task<byte[]> RunAsync(CancellationToken cancellation)
    {
        using var timeout = new CancellationTokenSource(_timeout, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timeout.Token);
        using var process = new Process { StartInfo = _start };
        try
        {
            process.Start();
        }
        catch (Win32Exception e)
        {
            throw Unavailable($"{Where}: expected a program that can be started, found: {e.Message}. {_installHint}".TrimEnd(), e);
        }
        try
        {
            process.StandardInput.Close();
            var output = ReadAsync(process.StandardOutput.BaseStream, linked.Token);
            var errors = ReadAsync(process.StandardError.BaseStream, linked.Token);
            var printed = await output;
            var complaint = Encoding.UTF8.GetString(await errors).Trim();
            await process.WaitForExitAsync(linked.Token);
            return process.ExitCode == 0
                ? printed
                : throw Unavailable($"{Where}: expected exit code 0, found {process.ExitCode}: {Shorten(complaint)}");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Unavailable($"{Where}: expected an answer within {_timeout}, found none");
        }
        finally
        {
            if (!process.HasExited)
                process.Kill(entireProcessTree: true);
        }
    }

    private async Task<byte[]> ReadAsync(Stream stream, CancellationToken cancellation)
    {
        using var read = new MemoryStream();
        var buffer = new byte[8192];
        while (await stream.ReadAsync(buffer, cancellation) is var count and > 0)
        {
            if (read.Length + count > MaxOutputBytes)
                throw Unavailable($"{Where}: expected at most {MaxOutputBytes} bytes of output, found more");
            read.Write(buffer, 0, count);
        }
        return read.ToArray();
    }

    private Answer Parse(byte[] printed)
    {
        try
        {
            var root = JsonElement.Parse(printed);
            if (root.GetProperty("apiVersion").GetString() is var version && version != _apiVersion)
                throw Unavailable($"{Where}: expected an ExecCredential of {_apiVersion}, found '{version}'");
            if (root.GetProperty("kind").GetString() != "ExecCredential")
                throw Unavailable($"{Where}: expected an ExecCredential, found another kind");
            var status = root.GetProperty("status");
            var token = Text(status, "token");
            if (token is not null && !IsToken(token))
                throw Unavailable($"{Where}: status.token: expected a token, found characters that no token has");
            var (certificate, key) = (Text(status, "clientCertificateData"), Text(status, "clientKeyData"));
            if (certificate is null != key is null)
                throw Unavailable($"{Where}: expected status.clientCertificateData and clientKeyData together, found one of them");
            if (token is null && certificate is null)
                throw Unavailable($"{Where}: expected status.token or status.clientCertificateData and clientKeyData, found neither");
            return new Answer(
                token,
                certificate is null ? null : ClientCertificate.FromPem(certificate, key!),
                status.TryGetProperty("expirationTimestamp", out var end) && end.ValueKind == JsonValueKind.String ? end.GetDateTimeOffset() : null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or CryptographicException or ArgumentException)
        {
            throw Unavailable($"{Where}: expected an ExecCredential as JSON, found: {Shorten(e.Message)}", e); // never the output: it is a secret
        }
    }

    private static string Request(string apiVersion, ClusterEndpoint? endpoint, JsonNode? config)
    {
        var spec = new JsonObject { ["interactive"] = false };
        if (endpoint is not null)
            spec["cluster"] = new JsonObject
            {
                ["server"] = endpoint.Server.AbsoluteUri.TrimEnd('/'),
                ["tls-server-name"] = endpoint.TlsServerName,
                ["insecure-skip-tls-verify"] = endpoint.SkipTlsVerify,
                ["certificate-authority-data"] = endpoint.Authorities is null
                    ? null
                    : Convert.ToBase64String(Encoding.ASCII.GetBytes(string.Join('\n', endpoint.Authorities.Select(a => a.ExportCertificatePem())))),
                ["proxy-url"] = endpoint.Proxy?.AbsoluteUri,
                ["config"] = config?.DeepClone(),
            };
        return new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = "ExecCredential", ["spec"] = spec }.ToJsonString();
    }

    private string Where => $"exec plugin '{_start.FileName}'";

    private static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    private static string Shorten(string text) => text.Length <= 1000 ? text : text[..1000] + "…";

    private sealed record Answer(string? Token, ClientCertificate? Certificate, DateTimeOffset? Expires);
}
