using System.Net;
using System.Net.Sockets;

namespace Governor.LocalServers;

public static class FreePort
{
    /// <summary>A port of 127.0.0.1 that was free a moment ago. Whoever binds it must cope with having lost the race.</summary>
    public static int Next()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
