using System.Diagnostics.CodeAnalysis;

namespace Governor.Watchers.Client;

internal static class Backoff
{
    /// <summary>Doubles from <see cref="KubernetesOptions.MinBackoff"/> to <see cref="KubernetesOptions.MaxBackoff"/>, less up to a half.</summary>
    /// <param name="round">0 for the first pause.</param>
    [SuppressMessage("Security", "CA5394", Justification = "jitter against synchronised clients is no secret")]
    public static TimeSpan Pause(KubernetesOptions options, int round)
    {
        var full = Math.Min(options.MaxBackoff.TotalMilliseconds, options.MinBackoff.TotalMilliseconds * Math.Pow(2, Math.Min(round, 30)));
        return TimeSpan.FromMilliseconds(full * (0.5 + Random.Shared.NextDouble() / 2));
    }

    /// <summary>At least <paramref name="asked"/>, and up to a fifth more, so that those who were sent away together do not return together.</summary>
    [SuppressMessage("Security", "CA5394", Justification = "jitter against synchronised clients is no secret")]
    public static TimeSpan AtLeast(TimeSpan asked) => asked * (1 + Random.Shared.NextDouble() / 5);
}
