using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Governor.LocalServers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Governor.Bench;

/// <summary>
/// As much of an API server as a watch needs, as many clusters as are asked for under <c>/c/NAME</c>, over TLS and HTTP/2 in a process of
/// its own: bytes that are made beforehand and sent as fast as they are taken, so that what is measured is the one who reads them.
/// </summary>
internal static class WatchServer
{
    /// <summary>The argument that makes this program the server.</summary>
    public const string Argument = "watch-server";

    public const string Group = "bench.governor.dev";

    /// <summary>Kinds that are idle: Idle0, Idle1, and so on.</summary>
    public const int IdleKinds = 10;

    private const string Template = """
        {"apiVersion":"security.ontai.dev/v1alpha1","kind":"PermissionSet","metadata":{"name":"set-INDEX","namespace":"seam-system","uid":"00000000-0000-4000-8000-UID","resourceVersion":"VERSION","generation":GENERATION,"creationTimestamp":"2026-01-01T00:00:00Z","labels":{"ontai.dev/managed-by":"governor","team":"tTEAM"},"managedFields":[{"manager":"human","operation":"Apply","apiVersion":"security.ontai.dev/v1alpha1","time":"2026-01-01T00:00:00Z","fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{"f:ontai.dev/managed-by":{},"f:team":{}}},"f:spec":{"f:description":{},"f:permissions":{}}}},{"manager":"governor-guardian","operation":"Apply","apiVersion":"security.ontai.dev/v1alpha1","time":"2026-01-01T00:00:01Z","fieldsType":"FieldsV1","fieldsV1":{"f:status":{"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},"f:lastTransitionTime":{},"f:message":{},"f:observedGeneration":{},"f:reason":{},"f:status":{},"f:type":{}}},"f:observedGeneration":{}}},"subresource":"status"}]},"spec":{"description":"what the applications of team tTEAM may do","permissions":[{"apiGroups":["","apps"],"resources":["pods","configmaps","services","deployments","rGENERATION"],"verbs":["get","list","watch"]},{"apiGroups":["batch"],"resources":["jobs","cronjobs"],"verbs":["get","list","watch","create","delete"]}]},"status":{"observedGeneration":GENERATION,"conditions":[{"type":"Ready","status":"True","reason":"Valid","message":"seen at VERSION","lastTransitionTime":"2026-01-01T00:00:01Z","observedGeneration":GENERATION}]}}
        """;

    private static readonly ConcurrentDictionary<string, TaskCompletionSource<string>> Pushes = new();
    private static readonly ConcurrentDictionary<(int First, int End), byte[]> Pages = new();

    public static async Task<int> RunAsync(string[] args)
    {
        var objects = int.Parse(args[1], CultureInfo.InvariantCulture);
        using var certificate = Certificate();
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Logging.SetMinimumLevel(LogLevel.None);
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.Http2.InitialConnectionWindowSize = kestrel.Limits.Http2.InitialStreamWindowSize = 1 << 20;
            kestrel.Listen(IPAddress.Loopback, 0, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                listen.UseHttps(certificate);
            });
        });
        await using var app = builder.Build();
        app.Run(context => AnswerAsync(context, objects, certificate.ExportCertificatePem()));
        await app.StartAsync();
        Console.WriteLine($"url {app.Urls.Single()} {Convert.ToBase64String(Encoding.ASCII.GetBytes(certificate.ExportCertificatePem()))}");
        await ((IHost)app).WaitForShutdownAsync();
        return 0;
    }

    /// <summary>Starts it as a child of this process.</summary>
    public static async Task<WatchServerProcess> StartAsync(int objects, CancellationToken cancellation)
    {
        var url = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = await ChildProcess.StartAsync(
            "watch server", "dotnet", [typeof(WatchServer).Assembly.Location, Argument, objects.ToString(CultureInfo.InvariantCulture)],
            onLine: line => _ = line.StartsWith("url ", StringComparison.Ordinal) && url.TrySetResult(line), cancellation: cancellation);
        var said = (await url.Task.WaitAsync(TimeSpan.FromSeconds(60), cancellation)).Split(' ');
        return new WatchServerProcess(process, new Uri(said[1]), Encoding.ASCII.GetString(Convert.FromBase64String(said[2])));
    }

    public static string Kubeconfig(Uri server, string name, string authority) => $"""
        apiVersion: v1
        kind: Config
        current-context: c
        clusters:
        - name: c
          cluster:
            server: "{server.GetLeftPart(UriPartial.Authority)}/c/{name}"
            certificate-authority-data: "{Convert.ToBase64String(Encoding.ASCII.GetBytes(authority))}"
        contexts:
        - name: c
          context:
            cluster: c
            user: u
        users:
        - name: u
          user:
            token: t
        """;

    /// <summary>A PermissionSet as one looks that has been through an API server, with the metadata that others have left on it.</summary>
    /// <param name="generation">Of what was declared; the status says <paramref name="version"/>.</param>
    public static string Object(int index, int generation, long version) => Template
        .Replace("INDEX", $"{index}", StringComparison.Ordinal)
        .Replace("UID", index.ToString("000000000000", CultureInfo.InvariantCulture), StringComparison.Ordinal)
        .Replace("TEAM", $"{index % 7}", StringComparison.Ordinal)
        .Replace("GENERATION", $"{generation}", StringComparison.Ordinal)
        .Replace("VERSION", $"{version}", StringComparison.Ordinal);

    private static async Task AnswerAsync(HttpContext context, int objects, string authority)
    {
        var path = context.Request.Path.Value!.Split('/', 4);
        var (name, rest) = path is ["", "c", var cluster, var what] ? (cluster, what) : ("", context.Request.Path.Value[1..]);
        var query = context.Request.Query;
        if (rest.StartsWith("push/", StringComparison.Ordinal))
            Pushes.GetOrAdd(rest[5..], _ => new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult(query["events"].ToString());
        else if (query["watch"] == "true")
            await WatchAsync(context, name, objects);
        else if (rest.EndsWith("/permissionsets", StringComparison.Ordinal))
            await ListAsync(context, objects);
        else
            await OneAsync(context, name, rest, authority);
    }

    private static async Task OneAsync(HttpContext context, string name, string rest, string authority)
    {
        var server = new Uri($"https://{context.Request.Host}");
        var body = rest switch
        {
            "api" => """{"kind":"APIVersions","versions":["v1"]}""",
            "apis" => """{"kind":"APIGroupList","apiVersion":"v1","groups":[]}""",
            "api/v1" => Resources("v1", "Namespace:namespaces:false", "Secret:secrets:true"),
            "apis/security.ontai.dev/v1alpha1" => Resources("security.ontai.dev/v1alpha1", "PermissionSet:permissionsets:true"),
            $"apis/" + Group + "/v1" => Resources($"{Group}/v1", [.. Enumerable.Range(0, IdleKinds).Select(i => $"Idle{i}:idle{i}s:true")]),
            "api/v1/namespaces/kube-system" => $$$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"kube-system","uid":"{{{name}}}"}}""",
            _ when rest.StartsWith("api/v1/namespaces/seam-tenant-", StringComparison.Ordinal) => Secret(server, rest.Split('/')[3]["seam-tenant-".Length..], authority),
            _ when rest.StartsWith($"apis/{Group}/v1/idle", StringComparison.Ordinal) => IdleList(rest[^2] - '0'),
            _ => "",
        };
        context.Response.StatusCode = body.Length > 0 ? 200 : 404;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(body);
    }

    private static async Task ListAsync(HttpContext context, int objects)
    {
        var limit = int.TryParse(context.Request.Query["limit"], out var most) && most > 0 ? most : objects;
        var first = int.TryParse(context.Request.Query["continue"], out var next) ? next : 0;
        var end = Math.Min(first + limit, objects);
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(Pages.GetOrAdd((first, end), page => Page(page.First, page.End, objects)));
    }

    private static byte[] Page(int first, int end, int objects)
    {
        var items = string.Join(',', Enumerable.Range(first, end - first).Select(index => Object(index, 1, index + 1)));
        return Encoding.UTF8.GetBytes(
            $$$"""{"apiVersion":"security.ontai.dev/v1alpha1","kind":"PermissionSetList","metadata":{"resourceVersion":"{{{objects}}}","continue":"{{{(end < objects ? $"{end}" : "")}}}"},"items":[{{{items}}}]}""");
    }

    /// <summary>Says nothing until it is told to push: then one event per object, <c>G</c> raises generations and <c>S</c> statuses only.</summary>
    private static async Task WatchAsync(HttpContext context, string name, int objects)
    {
        context.Response.ContentType = "application/json";
        await context.Response.Body.FlushAsync();
        var (version, generation) = ((long)objects, 1);
        try
        {
            while (true)
            {
                var push = Pushes.GetOrAdd(name, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
                var what = await push.Task.WaitAsync(context.RequestAborted);
                Pushes.TryRemove(KeyValuePair.Create(name, push));
                generation += what == "G" ? 1 : 0;
                var lines = new byte[objects][];
                for (var index = 0; index < objects; index++)
                    lines[index] = Encoding.UTF8.GetBytes($"{{\"type\":\"MODIFIED\",\"object\":{Object(index, generation, ++version)}}}\n");
                foreach (var batch in lines.Chunk(32)) // as a server does that has fallen behind: what there is goes out together
                    await context.Response.Body.WriteAsync(batch.SelectMany(line => line).ToArray(), context.RequestAborted);
                await context.Response.Body.FlushAsync(context.RequestAborted);
            }
        }
        catch (OperationCanceledException)
        {
            // The client left.
        }
    }

    private static string Resources(string version, params IEnumerable<string> kinds) =>
        $$"""{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"{{version}}","resources":[{{string.Join(',', kinds.Select(kind => kind.Split(':')).Select(k =>
            $$"""{"name":"{{k[1]}}","singularName":"","namespaced":{{k[2]}},"kind":"{{k[0]}}","verbs":["get","list","watch"]}"""))}}]}""";

    private static string Secret(Uri server, string cluster, string authority) => $$$"""
        {"apiVersion":"v1","kind":"Secret","metadata":{"name":"seam-mc-{{{cluster}}}-kubeconfig","namespace":"seam-tenant-{{{cluster}}}","uid":"{{{cluster}}}","resourceVersion":"1"},"data":{"value":"{{{Convert.ToBase64String(Encoding.UTF8.GetBytes(Kubeconfig(server, cluster, authority)))}}}"}}
        """;

    private static string IdleList(int kind) => $$$$"""
        {"apiVersion":"{{{{Group}}}}/v1","kind":"Idle{{{{kind}}}}List","metadata":{"resourceVersion":"1"},"items":[{"apiVersion":"{{{{Group}}}}/v1","kind":"Idle{{{{kind}}}}","metadata":{"name":"one","namespace":"web","uid":"u","resourceVersion":"1","labels":{"ontai.dev/managed-by":"governor"}}}]}
        """;

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=watch server", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}

/// <summary>The server, and how it is known.</summary>
internal sealed record WatchServerProcess(ChildProcess Process, Uri Url, string Authority) : IAsyncDisposable
{
    public ValueTask DisposeAsync() => Process.DisposeAsync();

    /// <summary>A client that trusts this server and no other.</summary>
    public HttpClient Client()
    {
        using var expected = X509Certificate2.CreateFromPem(Authority);
        var bytes = expected.RawData;
        return new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null && shown.GetRawCertData().AsSpan().SequenceEqual(bytes) },
        })
        {
            BaseAddress = Url,
            DefaultRequestVersion = HttpVersion.Version20,
        };
    }
}
