using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Sandbox.Tests.Admission;

/// <summary>What a webhook answers.</summary>
public sealed record WebhookReply(int Code, string ContentType, string Body);

/// <summary>A real admission webhook over TLS, with a certificate of its own, that answers what a test says.</summary>
public sealed class WebhookServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private WebhookServer(WebApplication app, Uri url, string bundle)
    {
        _app = app;
        Url = url;
        Bundle = bundle;
    }

    public Uri Url { get; }

    /// <summary>The certificate as <c>caBundle</c> has it: PEM in base64.</summary>
    public string Bundle { get; }

    /// <summary>Every review so far, with the path that it was sent to.</summary>
    public ConcurrentQueue<(string Path, JsonObject Review)> Reviews { get; } = new();

    /// <summary>Answers one review; null never answers.</summary>
    public Func<string, JsonObject, WebhookReply?> Answer { get; set; } = (_, review) => Allow(review);

    public static async Task<WebhookServer> StartAsync()
    {
        var (certificate, bundle) = Certificate("127.0.0.1");
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration()
            .ConfigureKestrel(k => k.Listen(IPAddress.Loopback, 0, l => l.UseHttps(certificate)));
        var app = builder.Build();
        WebhookServer? server = null;
        app.Run(http => server!.ServeAsync(http));
        await app.StartAsync();
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return server = new WebhookServer(app, new Uri(address), bundle);
    }

    /// <summary>A certificate that signs itself.</summary>
    public static (X509Certificate2 Certificate, string Bundle) Certificate(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=webhook", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var ip))
            names.AddIpAddress(ip);
        names.AddDnsName("guard.default.svc");
        request.CertificateExtensions.Add(names.Build());
        using var signed = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return (X509CertificateLoader.LoadPkcs12(signed.Export(X509ContentType.Pkcs12), null), Convert.ToBase64String(Encoding.ASCII.GetBytes(signed.ExportCertificatePem())));
    }

    public static WebhookReply Allow(JsonObject review, params string[] warnings) => Respond(review, new JsonObject
    {
        ["allowed"] = true,
        ["warnings"] = new JsonArray([.. warnings.Select(w => (JsonNode?)w)]),
    });

    public static WebhookReply Deny(JsonObject review, string message) =>
        Respond(review, new JsonObject { ["allowed"] = false, ["status"] = new JsonObject { ["message"] = message } });

    public static WebhookReply Patch(JsonObject review, string operations) => Respond(review, new JsonObject
    {
        ["allowed"] = true,
        ["patchType"] = "JSONPatch",
        ["patch"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(operations)),
    });

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(true));
        await _app.DisposeAsync();
    }

    private static WebhookReply Respond(JsonObject review, JsonObject response)
    {
        response["uid"] = review["request"]!["uid"]!.DeepClone();
        return new WebhookReply(200, "application/json",
            new JsonObject { ["apiVersion"] = "admission.k8s.io/v1", ["kind"] = "AdmissionReview", ["response"] = response }.ToJsonString());
    }

    private async Task ServeAsync(HttpContext http)
    {
        var review = (await JsonNode.ParseAsync(http.Request.Body))!.AsObject();
        var path = http.Request.Path + http.Request.QueryString;
        Reviews.Enqueue((path, review));
        if (Answer(path, review) is not { } reply)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, http.RequestAborted);
            return;
        }
        http.Response.StatusCode = reply.Code;
        http.Response.ContentType = reply.ContentType;
        await http.Response.WriteAsync(reply.Body);
    }
}
