using Governor.Domain.Transparency;
using Governor.Watchers;
using Microsoft.Extensions.Options;

namespace Governor.Witness.Hosting;

/// <summary>What a witness is, whom it watches, and where it remembers.</summary>
public sealed class WitnessOptions
{
    public const string Section = "Governor:Witness";

    /// <summary>The name of its key, under which it cosigns: a host name and path without scheme.</summary>
    public string Name { get; set; } = "";

    /// <summary>Its Ed25519 seed, 32 bytes; made with mode 0600 where it is absent.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>Verifier keys of the logs that it watches. Several of one name while a log changes its key.</summary>
    public List<string> Logs { get; set; } = [];

    /// <summary>Where <c>POST /add-checkpoint</c> listens; semicolon-separated. "" serves the mailbox only.</summary>
    public string Urls { get; set; } = "";

    /// <summary>Where it remembers; "" remembers in the ConfigMap of the mailbox.</summary>
    public string StateFolder { get; set; } = "";

    /// <summary>Answer the log through ConfigMaps of the cluster that <see cref="Kubeconfig"/> or <see cref="InCluster"/> says.</summary>
    public bool Mailbox { get; set; }

    /// <summary>The namespace of the mailbox.</summary>
    public string Namespace { get; set; } = CheckpointMailbox.DefaultNamespace;

    /// <summary>The kubeconfig of the cluster with the mailbox.</summary>
    public string Kubeconfig { get; set; } = "";

    /// <summary>The mailbox is in the cluster that this process runs in as a pod.</summary>
    public bool InCluster { get; set; }

    /// <summary>The keys of <see cref="Logs"/>.</summary>
    internal IReadOnlyList<VerifierKey> LogKeys() => [.. Logs.Select(text => VerifierKey.TryParse(text, out var key) ? key : null).OfType<VerifierKey>()];

    internal void Fill(KubernetesOptions kubernetes)
    {
        kubernetes.ManagementName = "witnessed";
        kubernetes.ManagementKubeconfig = Kubeconfig.Length > 0 ? Kubeconfig : null;
        kubernetes.InCluster = InCluster;
        kubernetes.UserAgent = "governor-witness";
    }
}

/// <summary>Everything that is wrong, at once.</summary>
internal sealed class WitnessOptionsValidator : IValidateOptions<WitnessOptions>
{
    public ValidateOptionsResult Validate(string? name, WitnessOptions options)
    {
        var failures = new List<string>();
        Check(VerifierKey.IsName(options.Name), nameof(options.Name), "a name such as witness.example.com/w1, without white space or '+'", $"'{options.Name}'");
        Check(options.KeyFile.Length > 0, nameof(options.KeyFile), "the path of the witness' key; it is made where it is absent", "nothing");
        Check(options.Logs.Count > 0, nameof(options.Logs), "the verifier key of at least one log", "none");
        foreach (var text in options.Logs)
            Check(
                VerifierKey.TryParse(text, out var key) && key.Type == NoteKeyType.Ed25519, nameof(options.Logs),
                "verifier keys NAME+HASH+BASE64 of logs (signature type 0x01)", $"'{text}'");
        foreach (var url in options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries))
            Check(Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https", nameof(options.Urls), "http or https URLs", $"'{url}'");
        Check(options.Mailbox || options.Urls.Length > 0, nameof(options.Urls), "a place to listen, or Mailbox=true", "neither");
        Check(options.Mailbox || options.StateFolder.Length > 0, nameof(options.StateFolder), "a folder, or Mailbox=true to remember in its ConfigMap", "neither");
        if (options.Mailbox)
        {
            Check(
                options.LogKeys().Select(key => key.Name).Distinct().Count() <= 1, nameof(options.Logs),
                "keys of one log, because there is one mailbox", string.Join(", ", options.LogKeys().Select(key => key.Name).Distinct()));
            Check(options.Kubeconfig.Length > 0 != options.InCluster, nameof(options.Kubeconfig), "the kubeconfig of the mailbox' cluster, or InCluster=true", options.InCluster ? "both" : "neither");
            Check(options.Namespace.Length > 0, nameof(options.Namespace), "a namespace", "nothing");
        }
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Check(bool holds, string option, string expected, string found)
        {
            var path = $"{WitnessOptions.Section}:{option}";
            if (!holds)
                failures.Add($"{path}: expected {expected}, found {found}; set it in the file that GOVERNOR_WITNESS_CONFIG names or by {path.Replace(":", "__", StringComparison.Ordinal)}");
        }
    }
}
