using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Governor.Domain.Admission;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Options;

namespace Governor.Silo.Admission;

/// <summary>
/// Keeps CA, bundles and serving certificate in order. The CA is in a Secret that all silos share, written under its resourceVersion: of
/// two that would make one, one finds the other's. A new CA is in every bundle before it signs, and the old one stays there until it has
/// expired, so that at no moment a silo shows what the API server does not trust.
/// </summary>
internal sealed partial class AuthorityKeeper(IClusters clusters, ServingCertificate serving, IOptions<AdmissionOptions> options, TimeProvider clock, ILogger<AuthorityKeeper> logger)
    : BackgroundService
{
    /// <summary>On the Secret: make a new CA now, whatever the age of the old one.</summary>
    public const string RotateAnnotation = $"{AdmissionNames.Group}/rotate";

    private const string FieldManager = "governor-admission";

    private static readonly ObjectKey SecretKey = new(AdmissionManifests.Namespace, AdmissionManifests.AuthoritySecret);
    private static readonly GroupVersionKind[] Configurations = [AdmissionManifests.Validating, AdmissionManifests.Mutating];
    private static readonly ObjectKey ConfigurationKey = new("", AdmissionManifests.ConfigurationName);
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);

    // Many changes are one reason to look.
    private readonly Channel<bool> _news = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.IsOn)
            return;
        var watching = Task.WhenAll(
            [FollowAsync(KnownKinds.Secret, SecretKey, stoppingToken), .. Configurations.Select(kind => FollowAsync(kind, ConfigurationKey, stoppingToken))]);
        var retry = FirstRetry;
        while (!stoppingToken.IsCancellationRequested)
        {
            TimeSpan pause;
            try
            {
                pause = await LookAsync(stoppingToken) - clock.GetUtcNow();
                retry = FirstRetry;
            }
            catch (Exception e) when (e is not OutOfMemoryException && !stoppingToken.IsCancellationRequested)
            {
                LogRetry(logger, e, retry);
                pause = retry;
                retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
            }
            await PauseAsync(pause, stoppingToken);
        }
        await watching.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task FollowAsync(GroupVersionKind kind, ObjectKey key, CancellationToken stop)
    {
        await foreach (var seen in clusters.Management.WatchAsync(new WatchRequest(kind, key.Namespace.Length > 0 ? key.Namespace : null, key.Name), stop))
            if (seen.Type is WatchEventType.Present or WatchEventType.Gone)
                _news.Writer.TryWrite(true);
    }

    private async Task PauseAsync(TimeSpan pause, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var news = _news.Reader.ReadAsync(ending.Token).AsTask();
        await Task.WhenAny(news, Task.Delay(pause > TimeSpan.Zero ? pause : TimeSpan.Zero, clock, ending.Token));
        await ending.CancelAsync();
        await ((Task)news).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <returns>When to look again although nothing happens.</returns>
    private async Task<DateTimeOffset> LookAsync(CancellationToken stop)
    {
        var now = clock.GetUtcNow();
        var secret = await clusters.Management.GetAsync(KnownKinds.Secret, SecretKey, stop);
        if (secret is null)
        {
            LogNoSecret(logger, SecretKey);
            return now + LastRetry;
        }
        var faults = new List<string>();
        var known = WebhookAuthority.Read(secret, faults);
        foreach (var fault in faults)
            LogFault(logger, SecretKey, fault);
        var configurations = await ConfigurationsAsync(stop);
        var isAskedFor = secret.Annotations.ContainsKey(RotateAnnotation);
        var plan = AuthorityPlan.Of([.. known.Select(authority => authority.Plan)], Announced(known, configurations), isAskedFor, now);
        if (plan.NeedsSuccessor || isAskedFor || !plan.Dropped.IsEmpty)
        {
            await WriteAsync(secret, plan, now, stop);
            return now; // and look at what is there now
        }
        var trusted = plan.Trusted.Select(authority => known.Single(k => k.Plan == authority)).ToList();
        foreach (var configuration in configurations)
            await AnnounceAsync(configuration, string.Concat(trusted.Select(authority => authority.Pem)), stop);
        if (plan.Signer is { } signer && (serving.Issuer != signer.Id || now >= serving.RenewAt))
            Serve(known.Single(k => k.Plan == signer), now);
        return plan.Next < serving.RenewAt ? plan.Next : serving.RenewAt;
    }

    private void Serve(WebhookAuthority signer, DateTimeOffset now)
    {
        serving.Serve(signer.Issue(options.Value.HostNames, now, options.Value.CertificateLifetime), signer.Plan.Id);
        LogServing(logger, serving.Current!.SerialNumber, signer.Plan.Id, serving.RenewAt);
    }

    private async Task WriteAsync(KubeObject secret, AuthorityPlan plan, DateTimeOffset now, CancellationToken stop)
    {
        var data = new JsonObject();
        foreach (var name in plan.Dropped.SelectMany(dropped => WebhookAuthority.Names(dropped.Id)))
            data[name] = null;
        if (plan.NeedsSuccessor)
        {
            // The first one need not be announced to anybody who trusts another.
            var made = WebhookAuthority.Make(now, options.Value.AuthorityLifetime, plan.Signer is null ? now : now + options.Value.AuthorityOverlap);
            foreach (var (name, value) in made.ToData())
                data[name] = value;
            LogMade(logger, made.Plan.Id, made.Plan.NotAfter);
        }
        var patch = new JsonObject
        {
            ["metadata"] = new JsonObject { ["resourceVersion"] = secret.ResourceVersion, ["annotations"] = new JsonObject { [RotateAnnotation] = null } },
            ["data"] = data,
        };
        try
        {
            await clusters.Management.MergePatchAsync(KnownKinds.Secret, SecretKey, patch, FieldManager, stop);
        }
        catch (KubernetesException e) when (e.Code == 409)
        {
            // Another silo was there: what it wrote is as good.
        }
    }

    private async Task<List<KubeObject>> ConfigurationsAsync(CancellationToken stop)
    {
        var found = new List<KubeObject>();
        foreach (var kind in Configurations)
            if (await clusters.Management.GetAsync(kind, ConfigurationKey, stop) is { } configuration)
                found.Add(configuration);
            else
                LogNoConfiguration(logger, kind.Kind);
        return found;
    }

    /// <summary>The authorities that every webhook of ours trusts; all of them where there is nobody to convince.</summary>
    private static HashSet<string> Announced(List<WebhookAuthority> known, List<KubeObject> configurations)
    {
        var announced = known.Select(authority => authority.Plan.Id).ToHashSet(StringComparer.Ordinal);
        foreach (var (_, bundle) in configurations.SelectMany(Bundles))
            announced.IntersectWith(known.Where(authority => bundle.Contains(authority.Pem, StringComparison.Ordinal)).Select(authority => authority.Plan.Id));
        return announced;
    }

    // Of a configuration only the bundles are ours: everything else is whoever's has applied it.
    private async Task AnnounceAsync(KubeObject configuration, string bundle, CancellationToken stop)
    {
        var bundles = Bundles(configuration).ToList();
        if (bundles.Count == 0 || bundles.All(found => found.Bundle == bundle))
            return;
        var encoded = Convert.ToBase64String(Encoding.UTF8.GetBytes(bundle));
        var intent = new JsonObject
        {
            ["apiVersion"] = configuration.ApiVersion,
            ["kind"] = configuration.Kind,
            ["metadata"] = new JsonObject { ["name"] = configuration.Name },
            ["webhooks"] = new JsonArray([.. bundles.Select(found => new JsonObject { ["name"] = found.Name, ["clientConfig"] = new JsonObject { ["caBundle"] = encoded } })]),
        };
        await clusters.Management.ApplyAsync(KubeObject.From(intent), FieldManager, new ApplyOptions(Force: true), stop);
        LogAnnounced(logger, configuration.Kind, bundles.Count);
    }

    private static IEnumerable<(string Name, string Bundle)> Bundles(KubeObject configuration)
    {
        var ours = AdmissionManifests.Of(configuration.Gvk).Select(webhook => webhook.FullName).ToHashSet(StringComparer.Ordinal);
        if (configuration.Find("webhooks") is not { ValueKind: JsonValueKind.Array } webhooks)
            yield break;
        foreach (var webhook in webhooks.EnumerateArray())
            if (webhook.GetProperty("name").GetString() is { } name && ours.Contains(name))
                yield return (name, webhook.GetProperty("clientConfig").TryGetProperty("caBundle", out var bundle) && bundle.TryGetBytesFromBase64(out var bytes) ? Encoding.UTF8.GetString(bytes) : "");
    }

    [LoggerMessage(LogLevel.Information, "A webhook CA {Id} was made; it is valid until {Until}")]
    private static partial void LogMade(ILogger logger, string id, DateTimeOffset until);

    [LoggerMessage(LogLevel.Information, "The webhooks show certificate {Serial} of CA {Authority}, to be replaced at {RenewAt}")]
    private static partial void LogServing(ILogger logger, string serial, string authority, DateTimeOffset renewAt);

    [LoggerMessage(LogLevel.Information, "The CA bundle of {Count} webhooks in {Kind} governor was written")]
    private static partial void LogAnnounced(ILogger logger, string kind, int count);

    [LoggerMessage(LogLevel.Warning, "There is no Secret {Secret} to keep the webhook CA in: apply deploy/admission/service.yaml")]
    private static partial void LogNoSecret(ILogger logger, ObjectKey secret);

    [LoggerMessage(LogLevel.Warning, "There is no {Kind} governor, so nothing of it is enforced: apply deploy/admission")]
    private static partial void LogNoConfiguration(ILogger logger, string kind);

    [LoggerMessage(LogLevel.Error, "Secret {Secret}: {Fault}. It is left alone and not used")]
    private static partial void LogFault(ILogger logger, ObjectKey secret, string fault);

    [LoggerMessage(LogLevel.Warning, "The webhooks' CA and bundles could not be put in order; trying again in {Pause}. deploy/rbac/silo.yaml has the rules that are needed")]
    private static partial void LogRetry(ILogger logger, Exception exception, TimeSpan pause);
}
