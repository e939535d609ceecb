using System.Text.Json;
using Governor.Sandbox.Auth;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Faults;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Governor.Sandbox.Api;

/// <summary>Every request passes here: credentials, faults, rights, then the endpoint.</summary>
internal sealed class ApiHandler
{
    private readonly ClusterCore _core;
    private readonly AccessGate _gate;
    private readonly ResourceHandler _resources;
    private readonly DiscoveryHandler _discovery;

    public ApiHandler(ClusterCore core)
    {
        _core = core;
        _gate = new AccessGate(core);
        _resources = new ResourceHandler(core);
        _discovery = new DiscoveryHandler(core);
    }

    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            await ServeAsync(http);
        }
        catch (ApiException e) when (!http.Response.HasStarted)
        {
            await Answers.Failure(http, e);
        }
        catch (JsonException e) when (!http.Response.HasStarted)
        {
            await Answers.Failure(http, ApiException.BadRequest($"error decoding body: {e.Message}"));
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            http.Abort();
        }
    }

    private async Task ServeAsync(HttpContext http)
    {
        var user = _gate.Authenticate(http.Request);
        var info = RequestInfo.Parse(http.Request);
        if (FaultSwitchboard.Takes(info.Path))
        {
            _gate.Authorize(user, info);
            await _core.Switchboard.HandleAsync(http);
            return;
        }
        _core.Requests.Count(info);
        var name = info is { Verb: "create", Name: "" } && _core.Faults.AnyArmed ? await CreatedName.PeekAsync(http.Request) : info.Name;
        var agent = http.Request.Headers.UserAgent.ToString();
        if (_core.Faults.ClockSkew != TimeSpan.Zero)
            http.Response.Headers.Date = _core.Clock.GetUtcNow().ToString("R", System.Globalization.CultureInfo.InvariantCulture);
        var seen = new FaultRequest(
            info.Verb, info.Group, info.ToAccess().ResourceWithSubresource, info.Namespace, name, info.Path, user.Name, agent, http.Request.Query["fieldManager"].ToString(),
            http.Request.Query["dryRun"].Count > 0);
        foreach (var effect in _core.Faults.Take(seen))
            if (await EndsAsync(http, info, effect))
                return;
        user = _gate.Impersonate(http.Request, user);
        _gate.Authorize(user, info);
        if (info.IsResource)
            await _resources.HandleAsync(http, info, user);
        else
            await _discovery.HandleAsync(http, info);
    }

    /// <summary>Lets a fault act; true when it has ended the request.</summary>
    private static async Task<bool> EndsAsync(HttpContext http, RequestInfo info, FaultEffect effect)
    {
        switch (effect)
        {
            case FaultEffect.Fail fail:
                throw new ApiException(fail.Code, fail.Reason, fail.Message.Length > 0 ? fail.Message : $"injected fault {fail.Code}")
                {
                    RetryAfter = fail.RetryAfterSeconds,
                    IsPlainText = fail.AsText,
                };
            case FaultEffect.Delay delay:
                await Task.Delay(delay.Duration, http.RequestAborted);
                return false;
            case FaultEffect.DropBefore:
                http.Abort();
                return true;
            case FaultEffect.DropAfter:
                http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(new BrokenPipe(http)));
                return false;
            case FaultEffect.BreakBody cut:
                http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(new CutAnswer(http, cut.AfterBytes)));
                return false;
            case FaultEffect.Stale stale:
                http.Features.Set(new StaleView(stale.ResourceVersion, 0));
                return false;
            case FaultEffect.Lag lag:
                http.Features.Set(new StaleView(null, lag.Changes));
                return false;
            case FaultEffect.Silence:
                if (info.Verb == "watch")
                {
                    http.Response.ContentType = "application/json";
                    await http.Response.Body.FlushAsync(http.RequestAborted);
                }
                await Task.Delay(Timeout.InfiniteTimeSpan, http.RequestAborted);
                return true;
            case FaultEffect.Hold { Request.Point: HoldPoint.BeforeAnswer } late:
                http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(new HeldAnswer(http, late.Request)));
                return false;
            case FaultEffect.Hold early:
                if (await early.Request.PassAsync(0, http.RequestAborted))
                    return false;
                http.Abort();
                return true;
            default:
                return false;
        }
    }
}
