using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Governor.Sandbox.Api;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Faults;

/// <summary>
/// The fault switches over HTTP, for a person with <c>kubectl create --raw</c> or <c>curl</c>: a path of the cluster's own server, open to
/// whoever its roles allow that path. No fault hits it, so that whatever was switched on can be switched off.
/// </summary>
internal sealed class FaultSwitchboard
{
    public const string Path = "/sandbox/faults";

    private const int LongestBody = 64 * 1024;

    /// <summary>How long the answer has to leave before the cluster goes.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(200);

    private readonly SandboxFaults _faults;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<int, (FaultOrder Order, FaultCount Armed)> _armed = new();
    private int _last;

    public FaultSwitchboard(SandboxFaults faults, TimeProvider time) => (_faults, _time) = (faults, time);

    /// <summary>Takes the cluster away; for so long, or for good.</summary>
    public Func<TimeSpan?, Task> GoAway { get; set; } = _ => Task.CompletedTask;

    /// <summary>Says what workloads do from now on.</summary>
    public Action<WorkloadBehaviour> Behave { get; set; } = _ => { };

    public static bool Takes(string path) => path == Path || path.StartsWith(Path + "/", StringComparison.Ordinal);

    public async Task HandleAsync(HttpContext http)
    {
        var path = http.Request.Path.Value!;
        switch (http.Request.Method)
        {
            case "GET" when path == Path:
                await Answers.Json(http, 200, List());
                break;
            case "POST" when path == Path:
                await OrderAsync(http);
                break;
            case "DELETE" when path == Path:
                _armed.Clear();
                _faults.Clear();
                await Answers.Json(http, 200, List());
                break;
            case "DELETE" when int.TryParse(path[(Path.Length + 1)..], out var id) && _armed.TryRemove(id, out var one):
                _faults.Disarm(one.Armed);
                await Answers.Json(http, 200, Show(id, one.Order, one.Armed));
                break;
            case "DELETE":
                throw new ApiException(404, "NotFound", $"fault \"{path[(Path.Length + 1)..]}\" not found");
            default:
                throw new ApiException(405, "MethodNotAllowed", $"{path}: expected GET, POST or DELETE, found {http.Request.Method}");
        }
    }

    private async Task OrderAsync(HttpContext http)
    {
        var order = FaultOrder.Read(await BodyAsync(http));
        if (Arm(order) is { } armed)
        {
            var id = Interlocked.Increment(ref _last);
            _armed[id] = (order, armed);
            await Answers.Json(http, 201, Show(id, order, armed));
            return;
        }
        Switch(http, order);
        await Answers.Json(http, 200, new JsonObject { ["fault"] = JsonObject.Create(order.ToJson()) });
    }

    private FaultCount? Arm(FaultOrder order)
    {
        var count = order.Forever ? int.MaxValue : order.Count;
        if (order.ToFate() is { } fate)
            return _faults.ArmEvent(order.Matches, fate, order.From, count, order.Probability);
        return order.ToEffect() is { } effect ? _faults.Arm(order.Matches, effect, order.From, count, order.Probability) : null;
    }

    /// <summary>What is done at once and not armed.</summary>
    private void Switch(HttpContext http, FaultOrder order)
    {
        switch (order.Effect)
        {
            case "drop-watches":
                _faults.DropWatches();
                break;
            case "silence-watches":
                _faults.SilenceWatches();
                break;
            case "expire-history" when order.On?.Resource is { } plural:
                _faults.ExpireHistory(order.On.Group ?? "", plural);
                break;
            case "expire-history":
                _faults.ExpireHistory();
                break;
            case "clock-skew":
                _faults.ClockSkew = TimeSpan.FromSeconds(order.Demand(order.Seconds, "seconds") is var skew && Math.Abs(skew) <= 366 * 86400 ? skew
                    : throw ApiException.BadRequest($"fault: seconds: expected at most a year, found {order.Seconds}"));
                break;
            case "go-away":
                var length = order.Seconds is { } seconds ? TimeSpan.FromSeconds(Math.Clamp(seconds, 0, 86400)) : (TimeSpan?)null;
                http.Response.OnCompleted(() =>
                {
                    _ = Task.Run(() => LeaveAsync(length));
                    return Task.CompletedTask;
                });
                break;
            case "workloads" when Enum.TryParse<WorkloadBehaviour>(order.Behaviour, true, out var behaviour) && Enum.IsDefined(behaviour):
                Behave(behaviour);
                break;
            case "workloads":
                throw ApiException.BadRequest($"fault: behaviour: expected ready, fail or never, found \"{order.Behaviour}\"");
            default:
                throw ApiException.BadRequest(
                    $"fault: effect: expected one of fail, delay, latency, drop-before, drop-after, break-body, silence, stale, lag, {string.Join(", ", Enum.GetNames<EventFate>().Select(f => $"event-{f.ToLowerInvariant()}"))}, drop-watches, silence-watches, expire-history, clock-skew, go-away, workloads, found \"{order.Effect}\"");
        }
    }

    private async Task LeaveAsync(TimeSpan? length)
    {
        await Task.Delay(Farewell, _time);
        await GoAway(length);
    }

    private JsonObject List() => new()
    {
        ["faults"] = new JsonArray([.. _armed.OrderBy(a => a.Key).Select(a => Show(a.Key, a.Value.Order, a.Value.Armed))]),
        ["clockSkewSeconds"] = _faults.ClockSkew.TotalSeconds,
    };

    private static JsonObject Show(int id, FaultOrder order, FaultCount armed) => new()
    {
        ["id"] = id,
        ["fault"] = JsonObject.Create(order.ToJson()),
        ["seen"] = armed.Seen,
        ["hits"] = armed.Hits,
    };

    private static async Task<byte[]> BodyAsync(HttpContext http)
    {
        using var body = new MemoryStream();
        var buffer = new byte[4096];
        for (int read; (read = await http.Request.Body.ReadAsync(buffer, http.RequestAborted)) > 0;)
        {
            if (body.Length + read > LongestBody)
                throw new ApiException(413, "RequestEntityTooLarge", $"fault: expected at most {LongestBody} bytes, found more");
            body.Write(buffer, 0, read);
        }
        return body.ToArray();
    }
}
