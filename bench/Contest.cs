using System.Diagnostics;

namespace Governor.Bench;

/// <summary>
/// Some callers, each with one call under way, one after the other. Two contenders take turns in short rounds, so that whatever else
/// the machine does meanwhile hits both.
/// </summary>
internal sealed class Contender(int callers, Func<int, long, Task> act)
{
    /// <summary>Nothing is counted until all callers of a round are under way.</summary>
    private static readonly TimeSpan RunUp = TimeSpan.FromSeconds(0.3);

    private readonly long[] _next = new long[callers];
    private readonly List<double> _milliseconds = [];
    private TimeSpan _measured;

    public double PerSecond => _milliseconds.Count / _measured.TotalSeconds;

    public double P99 => _milliseconds.Order().ElementAt((int)(_milliseconds.Count * 0.99));

    public static async Task TakeTurnsAsync(int rounds, TimeSpan round, params Contender[] contenders)
    {
        foreach (var contender in contenders)
            _ = await contender.RoundAsync(RunUp);
        for (var i = 0; i < rounds; i++)
        {
            foreach (var contender in contenders)
            {
                contender._milliseconds.AddRange(await contender.RoundAsync(RunUp + round));
                contender._measured += round;
            }
        }
    }

    private async Task<IEnumerable<double>> RoundAsync(TimeSpan duration)
    {
        var watch = Stopwatch.StartNew();
        var latencies = await Task.WhenAll(Enumerable.Range(0, callers).Select(caller => Task.Run(async () =>
        {
            var measured = new List<double>();
            while (watch.Elapsed < duration)
            {
                var since = watch.Elapsed;
                await act(caller, _next[caller]++);
                if (since >= RunUp)
                    measured.Add((watch.Elapsed - since).TotalMilliseconds);
            }
            return measured;
        })));
        return latencies.SelectMany(l => l);
    }
}
