using Governor.Domain.Transparency;
using Microsoft.Extensions.Options;

namespace Governor.Silo.Audit;

/// <summary>Where the log is shown, and whose cosignatures on it count.</summary>
public sealed class AuditOptions
{
    public const string Section = "Governor:Audit";

    /// <summary>The namespace of the ConfigMaps with checkpoints, in the management cluster and in the managed ones.</summary>
    public string Namespace { get; set; } = CheckpointMailbox.DefaultNamespace;

    /// <summary>How long a place that was told waits before it is told something newer; it is told at once after a silence.</summary>
    public TimeSpan PublishInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an answer is waited for before the next checkpoint is shown to a witness.</summary>
    public TimeSpan AnswerTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Witnesses that are asked over HTTP.</summary>
    public List<HttpWitness> Witnesses { get; set; } = [];

    /// <summary>The keys of the witnesses in the managed clusters. A cluster that is not named here is shown checkpoints all the same.</summary>
    public List<ClusterWitness> ClusterWitnesses { get; set; } = [];

    /// <summary>Let everybody read entry bundles under <c>/log/tile/entries</c>, as the checkpoint and the hash tiles.</summary>
    public bool PublicEntries { get; set; }
}

/// <param name="Url">The submission prefix of C2SP tlog-witness.</param>
/// <param name="Key">Its verifier key.</param>
public sealed record HttpWitness(string Url, string Key)
{
    public HttpWitness() : this("", "")
    {
    }
}

/// <param name="Cluster">The name of the TalosCluster.</param>
/// <param name="Key">The verifier key of the witness there.</param>
public sealed record ClusterWitness(string Cluster, string Key)
{
    public ClusterWitness() : this("", "")
    {
    }
}

internal sealed class AuditOptionsValidator : IValidateOptions<AuditOptions>
{
    public ValidateOptionsResult Validate(string? name, AuditOptions options)
    {
        var failures = new List<string>();
        Check(options.Namespace.Length > 0, nameof(options.Namespace), "a namespace", "nothing");
        Check(options.PublishInterval >= TimeSpan.Zero && options.PublishInterval <= TimeSpan.FromHours(1), nameof(options.PublishInterval), "00:00:00 to 01:00:00", $"{options.PublishInterval}");
        Check(options.AnswerTimeout >= TimeSpan.FromSeconds(1) && options.AnswerTimeout <= TimeSpan.FromMinutes(10), nameof(options.AnswerTimeout), "00:00:01 to 00:10:00", $"{options.AnswerTimeout}");
        foreach (var witness in options.Witnesses)
        {
            Check(Uri.TryCreate(witness.Url, UriKind.Absolute, out var url) && url.Scheme is "http" or "https", $"{nameof(options.Witnesses)}[].Url", "an http or https URL", $"'{witness.Url}'");
            CheckKey($"{nameof(options.Witnesses)}[].Key", witness.Key);
        }
        foreach (var witness in options.ClusterWitnesses)
        {
            Check(witness.Cluster.Length > 0, $"{nameof(options.ClusterWitnesses)}[].Cluster", "the name of a cluster", "nothing");
            CheckKey($"{nameof(options.ClusterWitnesses)}[].Key", witness.Key);
        }
        foreach (var twice in options.ClusterWitnesses.GroupBy(witness => witness.Cluster).Where(group => group.Count() > 1))
            Check(false, nameof(options.ClusterWitnesses), "one key for each cluster", $"{twice.Count()} for '{twice.Key}'");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void CheckKey(string option, string text) => Check(
            VerifierKey.TryParse(text, out var key) && key.Type == NoteKeyType.Cosignature, option,
            "the verifier key NAME+HASH+BASE64 of a witness (signature type 0x04), as governor-witness key prints it", $"'{text}'");

        void Check(bool holds, string option, string expected, string found)
        {
            var path = $"{AuditOptions.Section}:{option}";
            if (!holds)
                failures.Add($"{path}: expected {expected}, found {found}; set it in orleans.config.json or by {path.Replace(":", "__", StringComparison.Ordinal)}");
        }
    }
}
