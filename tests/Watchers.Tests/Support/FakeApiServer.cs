using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Governor.Watchers.Tests.Support;

/// <summary>
/// A real HTTP server whose answers the test gives itself, one request after the other: <see cref="NextAsync"/> is the next request
/// that no standing answer (<see cref="Always"/>) took.
/// </summary>
internal sealed class FakeApiServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Channel<Exchange> _requests = Channel.CreateUnbounded<Exchange>();
    private readonly ConcurrentDictionary<Exchange, bool> _open = new();
    private readonly Dictionary<string, (int Code, string Body)> _always = [];

    private FakeApiServer(WebApplication app) => _app = app;

    public Uri Url { get; private set; } = null!;

    public List<string> Log { get; } = [];

    public static async Task<FakeApiServer> StartAsync(X509Certificate2? certificate = null, bool askForClientCertificate = false, int port = 0)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, port, listen =>
            {
                if (certificate is not null)
                    listen.UseHttps(https =>
                    {
                        https.ServerCertificate = certificate;
                        if (askForClientCertificate)
                        {
                            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
                            https.AllowAnyClientCertificate();
                        }
                    });
            });
        });
        builder.WebHost.UseKestrelHttpsConfiguration();
        var app = builder.Build();
        var server = new FakeApiServer(app);
        app.Run(server.HandleAsync);
        await app.StartAsync();
        server.Url = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return server;
    }

    public FakeApiServer Always(string path, int code, string body)
    {
        lock (_always)
            _always[path] = (code, body);
        return this;
    }

    /// <summary>Like a server whose aggregated discovery is off: one document per group version.</summary>
    public FakeApiServer ServesWidgets() => this
        .Always("/api", 200, """{"kind":"APIVersions","versions":["v1"]}""")
        .Always("/apis", 200, """{"kind":"APIGroupList","apiVersion":"v1","groups":[]}""")
        .Always("/apis/fixtures.governor.dev/v1", 200, Fixture.Text("discovery-fixtures.json"))
        .Always("/apis/apiextensions.k8s.io/v1", 200, Widgets.DiscoveryOfDefinitions)
        .Defines(true);

    /// <summary>Whether there is a definition of Widgets, served or not.</summary>
    public FakeApiServer Defines(bool widgets) =>
        Always(Widgets.Definitions, 200, Widgets.DefinitionList(widgets));

    /// <summary>The test answers this path itself from now on.</summary>
    public void NoLonger(string path)
    {
        lock (_always)
            _always.Remove(path);
    }

    public async Task<Exchange> NextAsync(string containing = "")
    {
        var next = await _requests.Reader.ReadAsync().AsTask().Within($"a request containing '{containing}'");
        Assert.Contains(containing, $"{next.Method} {next.Path}", StringComparison.Ordinal);
        return next;
    }

    public bool HasNoMoreRequests => !_requests.Reader.TryPeek(out _);

    public async ValueTask DisposeAsync()
    {
        foreach (var open in _open.Keys)
            open.Cut();
        using var now = new CancellationTokenSource(0);
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var exchange = await Exchange.ReadAsync(context);
        _open.TryAdd(exchange, true);
        lock (Log)
            Log.Add($"{exchange.Method} {exchange.Path}");
        (int Code, string Body) standing;
        bool stands;
        lock (_always)
            stands = _always.TryGetValue(exchange.Path, out standing);
        if (stands)
        {
            _ = exchange.AnswerAsync(standing.Code, standing.Body);
        }
        else
        {
            _requests.Writer.TryWrite(exchange);
        }
        await exchange.Finished;
        _open.TryRemove(exchange, out _);
    }
}

/// <summary>One request, and the means to answer it.</summary>
internal sealed class Exchange
{
    private readonly HttpContext _context;
    private readonly Dictionary<string, string> _headers;
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Exchange(HttpContext context, string body)
    {
        _context = context;
        Body = body;
        // Kept apart from the context, which ends with the answer.
        (Method, Path, Protocol) = (context.Request.Method, context.Request.Path + context.Request.QueryString.ToString(), context.Request.Protocol);
        _headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        ClientCertificate = context.Connection.ClientCertificate;
        Gone = WhenGone(context.RequestAborted);
    }

    public string Method { get; }
    public string Path { get; }
    public string Body { get; }
    public string Protocol { get; }
    public X509Certificate2? ClientCertificate { get; }

    /// <summary>Completes when the client has gone away.</summary>
    public Task Gone { get; }

    public Task Finished => _finished.Task;

    public string Header(string name) => _headers.GetValueOrDefault(name, "");

    public static async Task<Exchange> ReadAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        return new Exchange(context, await reader.ReadToEndAsync());
    }

    public async Task AnswerAsync(int code, string body, params (string Name, string Value)[] headers)
    {
        Begin(code, body.StartsWith('{') ? "application/json" : "text/plain; charset=utf-8", headers);
        if (body.Length > 0) // a 304 may not even be asked to write nothing
            await _context.Response.WriteAsync(body);
        _finished.TrySetResult();
    }

    public async Task AnswerBytesAsync(byte[] body, params (string Name, string Value)[] headers)
    {
        Begin(200, "application/json", headers);
        try
        {
            await _context.Response.Body.WriteAsync(body);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // the client has read enough
        }
        _finished.TrySetResult();
    }

    /// <summary>Accepts a watch.</summary>
    public async Task OpenAsync()
    {
        Begin(200, "application/json", []);
        await _context.Response.StartAsync();
        await _context.Response.Body.FlushAsync();
    }

    public async Task SendAsync(string text)
    {
        await _context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(text));
        await _context.Response.Body.FlushAsync();
    }

    public async Task SendBytesAsync(byte[] bytes)
    {
        await _context.Response.Body.WriteAsync(bytes);
        await _context.Response.Body.FlushAsync();
    }

    /// <summary>Ends a watch in good order.</summary>
    public void End() => _finished.TrySetResult();

    /// <summary>Breaks the connection.</summary>
    public void Cut()
    {
        _context.Abort();
        _finished.TrySetResult();
    }

    private void Begin(int code, string contentType, (string Name, string Value)[] headers)
    {
        _context.Response.StatusCode = code;
        _context.Response.ContentType = contentType;
        foreach (var (name, value) in headers)
            _context.Response.Headers[name] = value;
    }

    private static async Task WhenGone(CancellationToken aborted)
    {
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (aborted.Register(gone.SetResult))
            await gone.Task;
    }
}
