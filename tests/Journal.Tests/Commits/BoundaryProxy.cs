using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Governor.Journal.Tests.Commits;

/// <summary>Where in one round trip a connection ends.</summary>
public enum Place
{
    /// <summary>The server never sees the request.</summary>
    BeforeRequest,

    /// <summary>The server sees half of the request, then the end of the connection.</summary>
    WithinRequest,

    /// <summary>The server has executed the request and answered; the silo sees nothing of the answer.</summary>
    BeforeAnswer,

    /// <summary>The silo sees half of the answer.</summary>
    WithinAnswer,
}

/// <param name="Step">What the round trip is for, as <see cref="RoundTrip.Step"/> names it.</param>
/// <param name="Occurrence">Counted over all connections, from 1.</param>
public sealed record Boundary(string Step, int Occurrence, Place Place);

/// <summary>
/// Stands between a silo and PostgreSQL, understands where one request ends and its answer begins, and loses the connection at
/// exactly the boundaries it was told. Its target can move, as that of a service does whose server is replaced.
/// </summary>
public sealed class BoundaryProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _closing = new();
    private readonly ConcurrentDictionary<string, int> _occurrences = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Boundary, TaskCompletionSource> _armed = [];
    private readonly ConcurrentQueue<string> _steps = [];
    private readonly ConcurrentBag<Task> _connections = [];
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _accepting;
    private bool _holds;

    public BoundaryProxy(int target)
    {
        Target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Where new connections lead.</summary>
    public int Target { get; set; }

    /// <summary>The steps of all connections so far, in order.</summary>
    public IReadOnlyCollection<string> Steps => _steps;

    /// <summary>Loses the connection when it is there; the task ends then.</summary>
    public Task CutAt(Boundary boundary) =>
        _armed.GetOrAdd(boundary, _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    /// <summary>Stops everything there until this proxy is disposed; the task ends when it is there.</summary>
    public Task HoldAt(Boundary boundary)
    {
        _holds = true;
        return CutAt(boundary);
    }

    public async ValueTask DisposeAsync()
    {
        _release.TrySetResult();
        _listener.Stop();
        await _closing.CancelAsync();
        await _accepting;
        await Task.WhenAll(_connections);
        _listener.Dispose();
        _closing.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                _connections.Add(ServeAsync(await _listener.AcceptTcpClientAsync()));
            }
            catch (SocketException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var server = new TcpClient();
        try
        {
            // What goes in halves shall not wait for an acknowledgement in between.
            (client.NoDelay, server.NoDelay) = (true, true);
            await server.ConnectAsync(IPAddress.Loopback, Target, _closing.Token);
            var connection = new ProxiedConnection(client.GetStream(), server.GetStream(), _closing.Token);
            while (await connection.RequestAsync() is { } trip && await PassAsync(connection, trip))
            {
                // On to the next round trip.
            }
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            // One side is gone, or we are.
        }
        finally
        {
            // A reset, so that neither side takes it for an orderly end.
            foreach (var side in (TcpClient[])[client, server])
            {
                if (side.Client is { } socket)
                    socket.LingerState = new LingerOption(true, 0);
                side.Dispose();
            }
        }
    }

    private async Task<bool> PassAsync(ProxiedConnection connection, RoundTrip trip)
    {
        _steps.Enqueue(trip.Step);
        var occurrence = _occurrences.AddOrUpdate(trip.Step, 1, (_, count) => count + 1);
        Task<bool> Lose(Place place) => LoseAsync(new Boundary(trip.Step, occurrence, place));
        if (await Lose(Place.BeforeRequest))
            return false;
        await connection.ToServerAsync(trip.Request.AsMemory(0, trip.Request.Length / 2));
        if (await Lose(Place.WithinRequest))
            return false;
        await connection.ToServerAsync(trip.Request.AsMemory(trip.Request.Length / 2));
        if (!trip.HasAnswer)
            return false;
        var (answer, ended) = await connection.AnswerAsync(trip);
        if (await Lose(Place.BeforeAnswer))
            return false;
        await connection.ToClientAsync(answer.AsMemory(0, answer.Length / 2));
        if (await Lose(Place.WithinAnswer))
            return false;
        await connection.ToClientAsync(answer.AsMemory(answer.Length / 2));
        return !ended;
    }

    private async Task<bool> LoseAsync(Boundary boundary)
    {
        if (!_armed.TryGetValue(boundary, out var reached))
            return false;
        reached.TrySetResult();
        if (_holds)
            await _release.Task;
        return true;
    }
}
