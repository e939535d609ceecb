using System.Net;
using System.Text;
using Governor.Sandbox.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Governor.Sandbox;

/// <summary>The socket of one cluster. It can be closed and opened again on the same port.</summary>
internal sealed class ClusterListener
{
    private readonly SandboxOptions _options;
    private readonly ApiHandler _handler;
    private WebApplication? _app;
    private int _port;

    private ClusterListener(SandboxOptions options, ApiHandler handler)
    {
        _options = options;
        _handler = handler;
        _port = options.Port;
    }

    public Uri Url => new($"{(_options.Tls ? "https" : "http")}://127.0.0.1:{_port}");

    public static async Task<ClusterListener> StartAsync(SandboxOptions options, ApiHandler handler, CancellationToken ct)
    {
        var listener = new ClusterListener(options, handler);
        await listener.ResumeAsync(ct);
        return listener;
    }

    public async Task ResumeAsync(CancellationToken ct)
    {
        if (_app is not null)
            return;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(50));
        var app = builder.Build();
        app.Run(_handler.HandleAsync);
        await app.StartAsync(ct);
        var address = app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        _port = new Uri(address).Port;
        _app = app;
    }

    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _app, null) is not { } app)
            return;
        // An expired token makes Kestrel abort what is still open instead of waiting for it.
        await app.StopAsync(new CancellationToken(true));
        await app.DisposeAsync();
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.UTF8; // warnings of webhooks pass as they are
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
        kestrel.Limits.MaxConcurrentConnections = null;
        kestrel.Listen(IPAddress.Loopback, _port, listen =>
        {
            listen.Protocols = _options.Tls ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
            if (_options.Tls)
                listen.UseHttps(ClusterCertificates.Server);
        });
    }
}
