using System.Buffers.Binary;
using System.Text;

namespace Governor.Journal.Tests.Commits;

/// <summary>One request, up to where its sender waits, and what it is for.</summary>
/// <param name="Step">
/// <c>negotiate</c>, <c>connect</c>, <c>authenticate</c>, then for each of the journal's statements its name, with "prepare " before
/// it where it is only prepared.
/// </param>
/// <param name="HasAnswer">False for a goodbye.</param>
/// <param name="OneByte">The answer to a negotiation is a single byte.</param>
internal sealed record RoundTrip(string Step, byte[] Request, bool HasAnswer = true, bool OneByte = false);

/// <summary>Takes PostgreSQL's wire protocol (version 3) apart into round trips.</summary>
internal sealed class ProxiedConnection(Stream client, Stream server, CancellationToken closing)
{
    private const int NegotiateTls = 80877103;
    private const int NegotiateGss = 80877104;
    private const int Cancel = 80877102;

    private readonly Dictionary<string, string> _prepared = new(StringComparer.Ordinal);
    private bool _started;

    public Task ToServerAsync(ReadOnlyMemory<byte> bytes) => server.WriteAsync(bytes, closing).AsTask();

    public Task ToClientAsync(ReadOnlyMemory<byte> bytes) => client.WriteAsync(bytes, closing).AsTask();

    /// <summary>Everything up to the message after which the client waits; null when it closes the connection.</summary>
    public async Task<RoundTrip?> RequestAsync()
    {
        var request = new MemoryStream();
        if (!_started)
            return await StartAsync(request);
        string? step = null;
        while (await MessageAsync(client, request) is var (type, body) && type != 0)
        {
            switch (type)
            {
                case 'P':
                    var name = Text(body, 0);
                    step = Name(Text(body, name.Length + 1));
                    if (name.Length > 0)
                        (_prepared[name], step) = (step, $"prepare {step}");
                    break;
                case 'B':
                    var statement = Text(body, Text(body, 0).Length + 1);
                    if (statement.Length > 0)
                        step = _prepared[statement];
                    break;
                case 'Q':
                    return new RoundTrip(Name(Text(body, 0)), request.ToArray());
                case 'p':
                    return new RoundTrip("authenticate", request.ToArray());
                case 'S':
                    return new RoundTrip(step ?? "synchronise", request.ToArray());
                case 'X':
                    return new RoundTrip("goodbye", request.ToArray(), HasAnswer: false);
            }
        }
        return null;
    }

    /// <summary>Everything up to where the server waits for the next request, or ends the connection.</summary>
    public async Task<(byte[] Bytes, bool Ended)> AnswerAsync(RoundTrip trip)
    {
        var answer = new MemoryStream();
        if (trip.OneByte)
        {
            var there = await ReadAsync(server, answer, 1);
            return (answer.ToArray(), !there);
        }
        while (await MessageAsync(server, answer) is var (type, body) && type != 0)
        {
            // Ready for a query; or an authentication request other than "ok" and "this was the last of it".
            if (type == 'Z' || (type == 'R' && BinaryPrimitives.ReadInt32BigEndian(body) is not (0 or 12)))
                return (answer.ToArray(), false);
        }
        return (answer.ToArray(), true);
    }

    private async Task<RoundTrip?> StartAsync(MemoryStream request)
    {
        if (!await ReadAsync(client, request, 8))
            return null;
        var (length, code) = (BinaryPrimitives.ReadInt32BigEndian(request.GetBuffer()), BinaryPrimitives.ReadInt32BigEndian(request.GetBuffer().AsSpan(4)));
        if (!await ReadAsync(client, request, length - 8))
            return null;
        if (code is NegotiateTls or NegotiateGss)
            return new RoundTrip("negotiate", request.ToArray(), OneByte: true);
        if (code == Cancel)
            return new RoundTrip("cancel", request.ToArray(), HasAnswer: false);
        _started = true;
        return new RoundTrip("connect", request.ToArray());
    }

    private async Task<(char Type, byte[] Body)> MessageAsync(Stream from, MemoryStream to)
    {
        var start = (int)to.Length;
        if (!await ReadAsync(from, to, 5))
            return default;
        var length = BinaryPrimitives.ReadInt32BigEndian(to.GetBuffer().AsSpan(start + 1)) - 4;
        return await ReadAsync(from, to, length) ? ((char)to.GetBuffer()[start], to.GetBuffer().AsSpan(start + 5, length).ToArray()) : default;
    }

    private async Task<bool> ReadAsync(Stream from, MemoryStream to, int count)
    {
        var bytes = new byte[count];
        var read = await from.ReadAtLeastAsync(bytes, count, throwOnEndOfStream: false, closing);
        to.Write(bytes, 0, read);
        return read == count;
    }

    private static string Text(byte[] body, int from) => Encoding.UTF8.GetString(body.AsSpan(from, body.AsSpan(from).IndexOf((byte)0)));

    private static string Name(string statement) => statement switch
    {
        _ when statement.Contains("governor.commit_batch(", StringComparison.Ordinal) => "trust",
        _ when statement.Contains("AS MATERIALIZED", StringComparison.Ordinal) => "judge",
        _ when statement.Contains("INSERT INTO governor.journal_writer", StringComparison.Ordinal) => "fence",
        _ when statement.Contains("governor.committed(", StringComparison.Ordinal) => "look up",
        _ when statement.Contains("pg_type", StringComparison.Ordinal) => "load types",
        _ => statement,
    };
}
