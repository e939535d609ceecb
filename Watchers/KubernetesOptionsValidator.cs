using Microsoft.Extensions.Options;

namespace Governor.Watchers;

/// <summary>Collects everything that is wrong with <see cref="KubernetesOptions"/>, each with its path and how to set it.</summary>
public sealed class KubernetesOptionsValidator : IValidateOptions<KubernetesOptions>
{
    public ValidateOptionsResult Validate(string? name, KubernetesOptions options)
    {
        var failures = new List<string>();
        CheckManagement(options, failures);

        Duration(nameof(options.RequestTimeout), options.RequestTimeout, TimeSpan.FromMinutes(10));
        Duration(nameof(options.ConnectTimeout), options.ConnectTimeout, TimeSpan.FromMinutes(2));
        Duration(nameof(options.MinBackoff), options.MinBackoff, TimeSpan.FromMinutes(1));
        Duration(nameof(options.MaxBackoff), options.MaxBackoff, TimeSpan.FromHours(1));
        Duration(nameof(options.WatchTimeout), options.WatchTimeout, TimeSpan.FromHours(1));
        Duration(nameof(options.WatchSilence), options.WatchSilence, TimeSpan.FromHours(1));
        Duration(nameof(options.ResyncEvery), options.ResyncEvery, TimeSpan.FromDays(1));
        Duration(nameof(options.ExecTimeout), options.ExecTimeout, TimeSpan.FromMinutes(5));
        if (options.RetryBudget < TimeSpan.Zero || options.RetryBudget > TimeSpan.FromMinutes(5))
            Fail(nameof(options.RetryBudget), "00:00:00 to 00:05:00", options.RetryBudget.ToString(), "00:00:10");
        if (options.StalePatience < TimeSpan.Zero || options.StalePatience > TimeSpan.FromHours(1))
            Fail(nameof(options.StalePatience), "00:00:00 to 01:00:00", options.StalePatience.ToString(), "00:01:00");
        if (options.MaxBackoff < options.MinBackoff)
            Fail(nameof(options.MaxBackoff), $"at least MinBackoff ({options.MinBackoff})", options.MaxBackoff.ToString(), "00:00:30");
        if (options.WatchTimeout < TimeSpan.FromSeconds(1))
            Fail(nameof(options.WatchTimeout), "at least one second", options.WatchTimeout.ToString(), "00:05:00");

        Count(nameof(options.MaxConcurrency), options.MaxConcurrency, 1, 10_000, 64);
        Count(nameof(options.MaxQueuedRequests), options.MaxQueuedRequests, 0, 1_000_000, 4096);
        Count(nameof(options.FailureThreshold), options.FailureThreshold, 1, 1000, 3);
        Count(nameof(options.PageSize), options.PageSize, 1, 10_000, 500);
        Count(nameof(options.MaxResponseBytes), options.MaxResponseBytes, 1024, 1 << 30, 64 << 20);
        if (options.MaxListBytes < 1024)
            Fail(nameof(options.MaxListBytes), "at least 1024", $"{options.MaxListBytes}", "536870912");
        Count(nameof(options.MaxWatchLineBytes), options.MaxWatchLineBytes, 1024, 1 << 30, 16 << 20);
        if (options.UserAgent.Length == 0 || options.UserAgent.Any(c => c is <= ' ' or > '~'))
            Fail(nameof(options.UserAgent), "printable ASCII without blanks", $"'{options.UserAgent}'", "governor");

        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Fail(string option, string expected, string found, string example) =>
            failures.Add($"{Path(option)}: expected {expected}, found {found}. {HowToSet(option, example)}");

        void Duration(string option, TimeSpan value, TimeSpan most)
        {
            if (value <= TimeSpan.Zero || value > most)
                Fail(option, $"a duration above zero and up to {most}", value.ToString(), "00:00:30");
        }

        void Count(string option, int value, int least, int most, int example)
        {
            if (value < least || value > most)
                Fail(option, $"{least} to {most}", value.ToString(System.Globalization.CultureInfo.InvariantCulture), $"{example}");
        }
    }

    private static void CheckManagement(KubernetesOptions options, List<string> failures)
    {
        const string choice = nameof(options.ManagementKubeconfig);
        if (options.ManagementName.Length == 0)
            failures.Add($"{Path(nameof(options.ManagementName))}: expected a name, found none. {HowToSet(nameof(options.ManagementName), "management")}");
        if (string.IsNullOrWhiteSpace(options.ManagementKubeconfig) && !options.InCluster)
            failures.Add(
                $"{Path(choice)}: expected the path of a kubeconfig, or {Path(nameof(options.InCluster))}=true, found neither. "
                + HowToSet(choice, "/etc/governor/management.kubeconfig"));
        if (!string.IsNullOrWhiteSpace(options.ManagementKubeconfig) && options.InCluster)
            failures.Add(
                $"{Path(choice)}: expected either a kubeconfig or {Path(nameof(options.InCluster))}=true, found both. "
                + HowToSet(nameof(options.InCluster), "false"));
        if (options.InCluster && options.ManagementContext is { Length: > 0 })
            failures.Add(
                $"{Path(nameof(options.ManagementContext))}: expected none with {Path(nameof(options.InCluster))}=true, "
                + $"found '{options.ManagementContext}'. Remove it.");
    }

    private static string Path(string option) => $"{KubernetesOptions.Section}:{option}";

    private static string HowToSet(string option, string example) =>
        $"Set it in the configuration, or as the environment variable {KubernetesOptions.Section.Replace(":", "__", StringComparison.Ordinal)}__{option}={example}.";
}
