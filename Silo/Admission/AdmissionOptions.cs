using Governor.Domain.Admission;
using Governor.Domain.Approvals;
using Governor.Grains.Approvals;
using Microsoft.Extensions.Options;

namespace Governor.Silo.Admission;

/// <summary>The admission webhooks of this silo.</summary>
public sealed class AdmissionOptions
{
    public const string Section = "Governor:Admission";

    /// <summary>Where the webhooks listen, e.g. <c>https://0.0.0.0:9443</c>; empty for none.</summary>
    public string Url { get; set; } = "";

    /// <summary>The exact user names of the family's own operators, this silo's first of all.</summary>
    public List<string> Operators { get; set; } = [];

    /// <summary>Groups whose humans answer for the cluster. What is configured comes in addition.</summary>
    public List<string> Administrators { get; set; } = ["system:masters"];

    /// <summary>How long the bootstrap window is open, from the first start ever; at most a week. Zero: never.</summary>
    public TimeSpan BootstrapWindow { get; set; } = TimeSpan.FromMinutes(30);

    /// <summary>How long the family's profiles have to be provisioned, and its memberships admitted, before the window closes by itself; at most an hour.</summary>
    public TimeSpan BootstrapSettling { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Names and addresses that certificates are valid for besides those of the Service.</summary>
    public List<string> HostNames { get; set; } = [];

    /// <summary>How long a serving certificate is valid; it is replaced after two thirds. An hour to 90 days.</summary>
    public TimeSpan CertificateLifetime { get; set; } = TimeSpan.FromDays(1);

    /// <summary>How long a CA is valid; it gets a successor after two thirds. At least twice a certificate's, at most ten years.</summary>
    public TimeSpan AuthorityLifetime { get; set; } = TimeSpan.FromDays(365);

    /// <summary>How long a new CA is announced before it signs; a second to a day.</summary>
    public TimeSpan AuthorityOverlap { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>A PEM file with the CA of the API server's client certificates; when set, nobody without one is listened to.</summary>
    public string ClientAuthorityFile { get; set; } = "";

    /// <summary>The largest review that is read, in bytes; 64 KiB to 64 MiB.</summary>
    public int MaxReviewBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>Refusals alike are counted for so long, and recorded as a number; a second to an hour.</summary>
    public TimeSpan RefusalWindow { get; set; } = TimeSpan.FromMinutes(1);

    internal bool IsOn => Url.Length > 0;

    internal AdmissionPolicy ToPolicy(ApprovalPolicy approvals) => new([.. Operators], [.. Administrators], approvals);
}

/// <summary>Says everything that is wrong with them.</summary>
internal sealed class AdmissionOptionsValidator : IValidateOptions<AdmissionOptions>
{
    public ValidateOptionsResult Validate(string? name, AdmissionOptions options)
    {
        var failures = new List<string>();
        Check(
            !options.IsOn || (Uri.TryCreate(options.Url, UriKind.Absolute, out var url) && url.Scheme == "https" && url.AbsolutePath == "/" && (url.Host is "localhost" || System.Net.IPAddress.TryParse(url.Host.Trim('[', ']'), out _))),
            nameof(options.Url), "https://ADDRESS:PORT, or nothing", options.Url);
        Check(!options.IsOn || options.Operators.Count > 0, nameof(options.Operators), "the exact user name of this silo's service account at least", "none");
        foreach (var @operator in options.Operators)
            Check(
                @operator.Length > 0 && !@operator.Any(c => c is '*' or '?' || char.IsWhiteSpace(c)) && !@operator.EndsWith(':'),
                nameof(options.Operators), "exact user names, as system:serviceaccount:NAMESPACE:NAME", @operator);
        foreach (var group in options.Administrators)
            Check(!string.IsNullOrWhiteSpace(group) && group is not ("system:authenticated" or "system:unauthenticated" or "system:serviceaccounts"), nameof(options.Administrators), "names of groups of few", group);
        Between(options.BootstrapWindow, TimeSpan.Zero, TimeSpan.FromDays(7), nameof(options.BootstrapWindow));
        Between(options.BootstrapSettling, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(options.BootstrapSettling));
        Between(options.CertificateLifetime, TimeSpan.FromHours(1), TimeSpan.FromDays(90), nameof(options.CertificateLifetime));
        Between(options.AuthorityLifetime, options.CertificateLifetime * 2, TimeSpan.FromDays(3650), nameof(options.AuthorityLifetime));
        Between(options.AuthorityOverlap, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), nameof(options.AuthorityOverlap));
        Between(options.RefusalWindow, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), nameof(options.RefusalWindow));
        Check(options.ClientAuthorityFile.Length == 0 || File.Exists(options.ClientAuthorityFile), nameof(options.ClientAuthorityFile), "an existing file, or nothing", options.ClientAuthorityFile);
        Check(options.MaxReviewBytes is >= 64 * 1024 and <= 64 * 1024 * 1024, nameof(options.MaxReviewBytes), "65536 to 67108864", options.MaxReviewBytes);
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Between(TimeSpan found, TimeSpan least, TimeSpan most, string option) => Check(found >= least && found <= most, option, $"{least} to {most}", found);

        void Check(bool holds, string option, string expected, object found)
        {
            var path = $"{AdmissionOptions.Section}:{option}";
            if (!holds)
                failures.Add($"{path}: expected {expected}, found '{found}'; set it in orleans.config.json or by {path.Replace(":", "__", StringComparison.Ordinal)}");
        }
    }
}

/// <summary>The policy, made once from what is configured.</summary>
internal sealed class ConfiguredPolicy(IOptions<AdmissionOptions> admission, IOptions<ApprovalOptions> approvals)
{
    public AdmissionPolicy Policy { get; } = admission.Value.ToPolicy(approvals.Value.ToPolicy());
}
