using System.Net;
using System.Net.Sockets;
using Governor.Sandbox.Api;
using Microsoft.AspNetCore.Connections;

namespace Governor.Sandbox;

/// <summary>
/// The socket of one cluster. It can be closed and opened again on the same port. The connections it accepts are served by the one server that
/// all clusters of the process share, so that a cluster costs a socket and no threads.
/// </summary>
internal sealed class ClusterListener
{
    private readonly SandboxOptions _options;
    private readonly ApiHandler _handler;
    private readonly HashSet<ConnectionContext> _connections = [];
    private SharedServer? _server;
    private Socket? _socket;
    private Task _accepting = Task.CompletedTask;
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
        if (_socket is not null)
            return;
        _server = await SharedServer.JoinAsync(ct);
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, _port));
            socket.Listen(512);
        }
        catch
        {
            socket.Dispose();
            await _server.LeaveAsync();
            throw;
        }
        _port = ((IPEndPoint)socket.LocalEndPoint!).Port;
        _socket = socket;
        _accepting = AcceptAsync(socket, _server);
    }

    public async Task StopAsync()
    {
        if (Interlocked.Exchange(ref _socket, null) is not { } socket)
            return;
        socket.Dispose();
        await _accepting;
        ConnectionContext[] open;
        lock (_connections)
            open = [.. _connections];
        foreach (var connection in open)
            connection.Abort(new ConnectionAbortedException("the cluster has gone away"));
        await _server!.LeaveAsync();
    }

    private async Task AcceptAsync(Socket socket, SharedServer server)
    {
        while (true)
            try
            {
                Serve(await socket.AcceptAsync(), server);
            }
            catch (SocketException) when (ReferenceEquals(_socket, socket))
            {
                continue; // whoever knocked has gone already
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return; // the cluster has gone away
            }
    }

    private void Serve(Socket accepted, SharedServer server)
    {
        accepted.NoDelay = true;
        var connection = server.Serve(accepted, _handler, _options.Tls);
        lock (_connections)
            _connections.Add(connection);
        connection.ConnectionClosed.Register(() =>
        {
            lock (_connections)
                _connections.Remove(connection);
        });
    }
}
