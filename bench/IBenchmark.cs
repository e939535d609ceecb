using System.Reflection;

namespace Governor.Bench;

/// <summary>One set of measurements, each against its limit or its peer in the same run.</summary>
internal interface IBenchmark
{
    /// <summary>What is typed to run it.</summary>
    string Name { get; }

    Task<BenchReport> RunAsync(CancellationToken cancellation);
}

/// <summary>What a benchmark found.</summary>
/// <param name="Name">The benchmark.</param>
/// <param name="Host">The actor host of this build: <c>Embedded</c> or <c>Orleans</c>.</param>
/// <param name="Cores">Processors this process may use.</param>
/// <param name="Measures">What was measured.</param>
internal sealed record BenchReport(string Name, string Host, int Cores, IReadOnlyList<Measure> Measures)
{
    public bool IsMet => Measures.All(measure => measure.Met);

    public static BenchReport Of(string name, params IReadOnlyList<Measure> measures) => new(
        name,
        typeof(BenchReport).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(entry => entry.Key == "ActorHost").Value!,
        Environment.ProcessorCount,
        measures);
}

/// <summary>One measured value and how it stands to its peer or limit.</summary>
/// <param name="What">What was measured.</param>
/// <param name="Value">The value, in <paramref name="Unit"/>.</param>
/// <param name="Unit">The unit of the value.</param>
/// <param name="Against">The peer or limit, with its value.</param>
/// <param name="Ratio">Value by peer or limit.</param>
/// <param name="Target">What the ratio should be: at least this for a peer, at most this for a limit.</param>
/// <param name="Met">Whether it is.</param>
internal sealed record Measure(string What, double Value, string Unit, string Against, double Ratio, double Target, bool Met)
{
    /// <summary>More is better: at least <paramref name="target"/> of what a peer reached in the same run.</summary>
    public static Measure AtLeast(string what, double value, string unit, string peer, double peerValue, double target)
    {
        var ratio = Math.Round(value / peerValue, 3);
        return new(what, Math.Round(value, 1), unit, FormattableString.Invariant($"{peer}: {peerValue:F0} {unit}"), ratio, target, ratio >= target);
    }

    /// <summary>Less is better: at most <paramref name="target"/> times what a peer took in the same run.</summary>
    public static Measure AtMostTimes(string what, double value, string unit, string peer, double peerValue, double target)
    {
        var ratio = Math.Round(value / peerValue, 3);
        return new(what, Math.Round(value, 1), unit, FormattableString.Invariant($"{peer}: {peerValue:F1} {unit}"), ratio, target, ratio <= target);
    }

    /// <summary>There should be none at all; the ratio is the count.</summary>
    public static Measure None(string what, long count, string unit, string found) =>
        new(what, count, unit, found.Length > 0 ? $"expected none, found {found}" : "expected none", count, 0, count == 0);

    /// <summary>Less is better: at most <paramref name="limit"/>.</summary>
    public static Measure AtMost(string what, double value, string unit, double limit)
    {
        var ratio = Math.Round(value / limit, 3);
        return new(what, Math.Round(value, 1), unit, FormattableString.Invariant($"limit: {limit:F0} {unit}"), ratio, 1, ratio <= 1);
    }
}
