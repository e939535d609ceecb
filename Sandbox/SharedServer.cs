using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Governor.Sandbox.Api;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Governor.Sandbox;

/// <summary>
/// One HTTP server for all clusters of the process: the clusters accept connections on sockets of their own and hand them over. It runs while
/// there are clusters.
/// </summary>
internal sealed class SharedServer
{
    private static readonly SemaphoreSlim Gate = new(1, 1);
    private static SharedServer? _running;

    private readonly WebApplication _app;
    private readonly SocketConnectionContextFactory _connections;
    private readonly AcceptedConnections _secure;
    private readonly AcceptedConnections _plain;
    private int _members;

    private SharedServer(WebApplication app, AcceptedConnections secure, AcceptedConnections plain)
    {
        _app = app;
        _connections = app.Services.GetRequiredService<SocketConnectionContextFactory>();
        _secure = secure;
        _plain = plain;
    }

    /// <summary>The running server, or a new one.</summary>
    public static async Task<SharedServer> JoinAsync(CancellationToken ct)
    {
        await Gate.WaitAsync(ct);
        try
        {
            _running ??= await StartAsync(ct);
            _running._members++;
            return _running;
        }
        finally
        {
            Gate.Release();
        }
    }

    /// <summary>Ends the server when nobody is left.</summary>
    public async Task LeaveAsync()
    {
        await Gate.WaitAsync();
        try
        {
            if (--_members > 0)
                return;
            _running = null;
        }
        finally
        {
            Gate.Release();
        }
        // An expired token makes Kestrel abort what is still open instead of waiting for it.
        await _app.StopAsync(new CancellationToken(true));
        await _app.DisposeAsync();
    }

    /// <summary>Serves an accepted connection of a cluster.</summary>
    public ConnectionContext Serve(Socket accepted, ApiHandler cluster, bool tls)
    {
        var connection = _connections.Create(accepted);
        connection.Features.Set(cluster);
        (tls ? _secure : _plain).Hand(connection);
        return connection;
    }

    private static async Task<SharedServer> StartAsync(CancellationToken ct)
    {
        var (secure, plain) = (new AcceptedConnections(true), new AcceptedConnections(false));
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(k => Configure(k, secure.EndPoint, plain.EndPoint));
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = TimeSpan.FromMilliseconds(50));
        builder.Services.AddSingleton(static _ => new SocketConnectionContextFactory(new SocketConnectionFactoryOptions(), NullLogger.Instance));
        builder.Services.AddSingleton<IConnectionListenerFactory>(secure);
        builder.Services.AddSingleton<IConnectionListenerFactory>(plain);
        var app = builder.Build();
        app.Run(static http => http.Features.GetRequiredFeature<ApiHandler>().HandleAsync(http));
        await app.StartAsync(ct);
        return new SharedServer(app, secure, plain);
    }

    private static void Configure(KestrelServerOptions kestrel, EndPoint secure, EndPoint plain)
    {
        kestrel.AddServerHeader = false;
        kestrel.ResponseHeaderEncodingSelector = static _ => Encoding.UTF8; // warnings of webhooks pass as they are
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MaxRequestLineSize = 1024 * 1024; // long selectors and continue tokens; Go's limit is on the headers as a whole
        kestrel.Limits.MaxRequestBufferSize = 2 * 1024 * 1024;
        kestrel.Limits.MaxRequestHeadersTotalSize = 1024 * 1024;
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
        kestrel.Limits.MaxConcurrentConnections = null;
        kestrel.Listen(secure, listen =>
        {
            listen.Protocols = HttpProtocols.Http1AndHttp2;
            listen.UseHttps(ClusterCertificates.Server);
        });
        kestrel.Listen(plain, listen => listen.Protocols = HttpProtocols.Http1);
    }
}

/// <summary>A transport of Kestrel whose connections others have accepted.</summary>
internal sealed class AcceptedConnections(bool tls) : IConnectionListenerFactory, IConnectionListenerFactorySelector, IConnectionListener
{
    private readonly Channel<ConnectionContext> _handed = Channel.CreateUnbounded<ConnectionContext>();

    public EndPoint EndPoint { get; } = new HandedOver(tls);

    public void Hand(ConnectionContext connection)
    {
        if (!_handed.Writer.TryWrite(connection))
            connection.Abort();
    }

    public bool CanBind(EndPoint endpoint) => ReferenceEquals(endpoint, EndPoint);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(this);

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
        await _handed.Reader.WaitToReadAsync(cancellationToken) && _handed.Reader.TryRead(out var connection) ? connection : null;

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _handed.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _handed.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    /// <summary>No address: where the connections come from is the clusters' business.</summary>
    private sealed class HandedOver(bool tls) : EndPoint
    {
        public override string ToString() => tls ? "https://clusters" : "http://clusters";
    }
}
