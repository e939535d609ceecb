using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Api;
using Governor.Sandbox.Store;

namespace Governor.Sandbox.Admission;

/// <summary>The mutating webhooks one after the other, and the validating ones side by side, as the stored configurations say.</summary>
internal sealed class AdmissionChain : IDisposable
{
    private const string Group = "admissionregistration.k8s.io";

    private static readonly ResourceId Mutating = new(Group, "mutatingwebhookconfigurations");
    private static readonly ResourceId Validating = new(Group, "validatingwebhookconfigurations");

    private readonly ClusterCore _core;
    private readonly WebhookCaller _caller;
    private (ImmutableSortedDictionary<ObjectKey, StoredObject>? From, Webhook[] Hooks) _mutating = (null, []);
    private (ImmutableSortedDictionary<ObjectKey, StoredObject>? From, Webhook[] Hooks) _validating = (null, []);

    public AdmissionChain(ClusterCore core)
    {
        _core = core;
        _caller = new WebhookCaller(core);
    }

    /// <summary>Some mutating webhook wants to see the write.</summary>
    public bool Mutates(AdmissionAttempt attempt)
    {
        var state = _core.Store.Current;
        return !IsExempt(attempt) && Hooks(state, Mutating, ref _mutating).Any(h => h.Match(attempt, _core.Kinds, state) is not null);
    }

    /// <summary>What the mutating webhooks make of the object.</summary>
    /// <exception cref="ApiException">A webhook denies the write, or cannot be asked and must be.</exception>
    public async Task<JsonObject?> MutateAsync(AdmissionAttempt attempt)
    {
        if (IsExempt(attempt))
            return attempt.Object;
        var state = _core.Store.Current;
        var hooks = Hooks(state, Mutating, ref _mutating);
        var at = attempt;
        var again = new List<Webhook>();
        for (var i = 0; i < hooks.Length; i++)
        {
            var before = at.Object;
            at = at with { Object = await AskAsync(hooks[i], at, state) };
            if (!JsonText.Same(before, at.Object))
                again = [.. again.Union(hooks[..i].Where(h => h.IsReinvoked))];
        }
        foreach (var hook in again)
            at = at with { Object = await AskAsync(hook, at, state) };
        return at.Object;
    }

    /// <exception cref="ApiException">A webhook denies the write, or cannot be asked and must be.</exception>
    public async Task ValidateAsync(AdmissionAttempt attempt)
    {
        if (IsExempt(attempt))
            return;
        var state = _core.Store.Current;
        var hooks = Hooks(state, Validating, ref _validating);
        if (hooks.Length > 0)
            await Task.WhenAll(hooks.Select(hook => AskAsync(hook, attempt, state)));
    }

    public void Dispose() => _caller.Dispose();

    /// <summary>Nobody locks himself out: the configurations are not admitted by webhooks.</summary>
    private static bool IsExempt(AdmissionAttempt attempt) =>
        attempt.Context.Resource.Id == Mutating || attempt.Context.Resource.Id == Validating;

    private async Task<JsonObject?> AskAsync(Webhook hook, AdmissionAttempt attempt, StoreState state)
    {
        if (hook.Match(attempt, _core.Kinds, state) is not { } version)
            return attempt.Object;
        JsonObject response;
        var uid = Guid.NewGuid().ToString();
        try
        {
            response = await _caller.CallAsync(hook, AdmissionReview.Of(attempt, version, uid), uid, attempt.Context.Aborted);
        }
        catch (WebhookException) when (hook.IsIgnoredWhenBroken)
        {
            return attempt.Object;
        }
        catch (WebhookException e)
        {
            throw AdmissionReview.Internal($"failed calling webhook \"{hook.Name}\": {e.Message}");
        }
        AddWarnings(attempt.Context, response);
        return response.Flag("allowed")
            ? AdmissionReview.Patched(response, attempt.Object)
            : throw AdmissionReview.Denied(hook.Name, response.Child("status"));
    }

    private static void AddWarnings(RequestContext context, JsonObject response)
    {
        // Validating webhooks answer side by side.
        lock (context.Warnings)
            context.Warnings.AddRange(WarningTexts.Of(response.List("warnings").Texts()));
    }

    private static Webhook[] Hooks(
        StoreState state, ResourceId id, ref (ImmutableSortedDictionary<ObjectKey, StoredObject>? From, Webhook[] Hooks) known)
    {
        var configurations = state.Of(id);
        if (configurations.IsEmpty)
            return [];
        var (from, hooks) = known;
        if (ReferenceEquals(from, configurations))
            return hooks;
        hooks = [.. configurations.Values.SelectMany(c => c.Root.Find("webhooks") is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [])
            .Select(json => new Webhook(json, id == Mutating))];
        known = (configurations, hooks);
        return hooks;
    }
}
