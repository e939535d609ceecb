using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Approvals;
using Governor.Grains.Packs;
using Microsoft.Extensions.Options;

namespace Governor.Silo.Hosting;

/// <summary>The process: what it manages and where it listens.</summary>
public sealed class SiloOptions
{
    public const string Section = "Governor:Silo";

    /// <summary>The name of the management cluster's own TalosCluster.</summary>
    public string ManagementCluster { get; set; } = "";

    /// <summary>Where the HTTP API listens; semicolon-separated.</summary>
    public string Urls { get; set; } = "http://127.0.0.1:5080";
}

/// <summary>The actor host, where it needs more than its defaults.</summary>
public sealed class ActorHostOptions
{
    public const string Section = "Governor:Orleans";

    public string ClusterId { get; set; } = "governor";

    public string ServiceId { get; set; } = "governor";

    /// <summary><c>Localhost</c> for one process, <c>AdoNet</c> for a cluster of silos on PostgreSQL (Orleans only).</summary>
    public string Clustering { get; set; } = "Localhost";

    public int SiloPort { get; set; } = 11111;

    public int GatewayPort { get; set; } = 30000;

    /// <summary>Where reminders and membership live; the journal's database when empty.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>How long a call between actors may take; between a second and ten minutes.</summary>
    public TimeSpan ResponseTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long an idle actor stays in memory; at least two minutes.</summary>
    public TimeSpan CollectionAge { get; set; } = TimeSpan.FromMinutes(15);
}

/// <summary>Which names of the governed kinds are read.</summary>
public sealed class KindOptions
{
    public const string Section = "Governor:Kinds";

    /// <summary>Names of the reference implementation's releases that are understood besides ours.</summary>
    public List<string> AliasSets { get; set; } = [];
}

/// <summary>What is watched on the management cluster: what the kind table says, with these exceptions.</summary>
public sealed class WatchOptions
{
    public const string Section = "Governor:Watches";

    /// <summary>Kinds that are watched although the table does not say so.</summary>
    public List<string> Also { get; set; } = [];

    /// <summary>Kinds that are not watched although the table says so.</summary>
    public List<string> Except { get; set; } = [];

    /// <summary>How often it is made sure that every stream runs: the safety net, not the mechanism.</summary>
    public TimeSpan EnsureEvery { get; set; } = TimeSpan.FromMinutes(1);
}

/// <summary>Checks everything and reports everything: each failure with its path, what was expected, what was found, how to set it.</summary>
internal sealed class GovernorOptionsValidator :
    IValidateOptions<SiloOptions>, IValidateOptions<ActorHostOptions>, IValidateOptions<KindOptions>, IValidateOptions<WatchOptions>,
    IValidateOptions<DeliveryOptions>, IValidateOptions<ApprovalOptions>
{
    public ValidateOptionsResult Validate(string? name, SiloOptions options) => Report(
    [
        Check(options.ManagementCluster.Length > 0, SiloOptions.Section, nameof(options.ManagementCluster), "the management cluster's name", options.ManagementCluster),
        .. options.Urls.Split(';').Select(url => Check(
            Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https", SiloOptions.Section, nameof(options.Urls), "http or https URLs", url)),
    ]);

    public ValidateOptionsResult Validate(string? name, ActorHostOptions options) => Report(
    [
        Check(
            ActorHost.Clusterings.Contains(options.Clustering), ActorHostOptions.Section, nameof(options.Clustering),
            $"{string.Join(" or ", ActorHost.Clusterings)} in this build, whose actor host is {ActorHost.Name}", options.Clustering),
        Check(options.SiloPort is > 0 and < 65536, ActorHostOptions.Section, nameof(options.SiloPort), "a port", options.SiloPort),
        Check(options.GatewayPort is > 0 and < 65536, ActorHostOptions.Section, nameof(options.GatewayPort), "a port", options.GatewayPort),
        Check(
            options.ResponseTimeout >= TimeSpan.FromSeconds(1) && options.ResponseTimeout <= TimeSpan.FromMinutes(10),
            ActorHostOptions.Section, nameof(options.ResponseTimeout), "00:00:01 to 00:10:00", options.ResponseTimeout),
        Check(options.CollectionAge >= TimeSpan.FromMinutes(2), ActorHostOptions.Section, nameof(options.CollectionAge), "at least 00:02:00", options.CollectionAge),
    ]);

    public ValidateOptionsResult Validate(string? name, KindOptions options) => Report(
        [.. options.AliasSets.Select(set => Check(AliasSets.All.Contains(set), KindOptions.Section, nameof(options.AliasSets), string.Join(", ", AliasSets.All), set))]);

    public ValidateOptionsResult Validate(string? name, WatchOptions options) => Report(
    [
        .. options.Also.Select(kind => Check(IsFollowed(kind), WatchOptions.Section, nameof(options.Also), "kinds that have actors", kind)),
        .. options.Except.Select(kind => Check(IsFollowed(kind), WatchOptions.Section, nameof(options.Except), "kinds that have actors", kind)),
        Check(options.EnsureEvery >= TimeSpan.FromSeconds(1), WatchOptions.Section, nameof(options.EnsureEvery), "at least 00:00:01", options.EnsureEvery),
    ]);

    public ValidateOptionsResult Validate(string? name, DeliveryOptions options)
    {
        const string Expected = "00:00:01 to 1.00:00:00";
        return Report(
        [
            Check(IsPatience(options.ReadinessDeadline), DeliveryOptions.Section, nameof(options.ReadinessDeadline), Expected, options.ReadinessDeadline),
            Check(IsPatience(options.RetryBudget), DeliveryOptions.Section, nameof(options.RetryBudget), Expected, options.RetryBudget),
            Check(options.MaxParallel is >= 1 and <= 64, DeliveryOptions.Section, nameof(options.MaxParallel), "1 to 64", options.MaxParallel),
        ]);
    }

    public ValidateOptionsResult Validate(string? name, ApprovalOptions options) => Report(
    [
        .. options.AiGroups.Select(group => Check(!string.IsNullOrWhiteSpace(group), ApprovalOptions.Section, nameof(options.AiGroups), "names of groups", group)),
        Check(
            options.Lifetime >= TimeSpan.FromMinutes(1) && options.Lifetime <= TimeSpan.FromDays(90),
            ApprovalOptions.Section, nameof(options.Lifetime), "00:01:00 to 90.00:00:00", options.Lifetime),
    ]);

    private static bool IsFollowed(string kind) => KindTable.Default.Kinds.Any(k => k.Kind == kind && Routes.Follows(k.Gvk));

    private static bool IsPatience(TimeSpan span) => span >= TimeSpan.FromSeconds(1) && span <= TimeSpan.FromDays(1);

    private static string? Check(bool holds, string section, string option, string expected, object found)
    {
        var path = $"{section}:{option}";
        return holds ? null : $"{path}: expected {expected}, found '{found}'; set it in orleans.config.json or by {path.Replace(":", "__", StringComparison.Ordinal)}";
    }

    private static ValidateOptionsResult Report(string?[] checks)
    {
        var failures = checks.OfType<string>().ToList();
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }
}
