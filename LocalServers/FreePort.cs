using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Governor.LocalServers;

public static class FreePort
{
    // Below those that Linux gives to outgoing connections, which come at any moment and would take a port before it is bound.
    private const int First = 16_384, End = 32_768;

    private static readonly ConcurrentDictionary<int, bool> Given = new();

    /// <summary>
    /// A port of 127.0.0.1 that was free a moment ago, and that this process has not been given before. Whoever binds it must cope with
    /// another process having been faster.
    /// </summary>
    public static int Next()
    {
        while (true)
        {
            var port = Random.Shared.Next(First, End);
            if (Given.TryAdd(port, true) && IsFree(port))
                return port;
            if (Given.Count == End - First)
                throw new InvalidOperationException($"expected a free port from {First} to {End - 1} on 127.0.0.1, found none");
        }
    }

    private static bool IsFree(int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
        {
            return false;
        }
    }
}
