namespace Governor.Sandbox.Faults;

/// <summary>One request as a fault matcher sees it.</summary>
/// <param name="Verb">get, list, watch, create, update, patch, delete, deletecollection; for other paths the HTTP method.</param>
/// <param name="Group">The API group; empty for the core group and for paths.</param>
/// <param name="Resource">The plural, with the subresource after a slash; empty for paths.</param>
/// <param name="Name">From the path; of a create from its body, where that is JSON.</param>
/// <param name="UserAgent">The header as it was sent; empty without one.</param>
/// <param name="FieldManager">The parameter as it was sent; empty without one.</param>
/// <param name="IsDryRun">The parameter <c>dryRun</c> was sent. Deletes say it in their body, which nobody has read yet.</param>
public sealed record FaultRequest(
    string Verb, string Group, string Resource, string Namespace, string Name, string Path, string User, string UserAgent = "",
    string FieldManager = "", bool IsDryRun = false);

/// <summary>What happens to a request that a fault hits.</summary>
public abstract partial record FaultEffect
{
    private FaultEffect()
    {
    }

    /// <summary>Slows the request down and lets other faults act on it, too.</summary>
    internal virtual bool IsDelay => false;

    /// <summary>Answered with a Status of this code instead of being done.</summary>
    /// <param name="AsText">Plain text instead of a Status, as load shedding answers (429 of API priority and fairness).</param>
    public sealed record Fail(int Code, string Reason = "", string Message = "", int RetryAfterSeconds = 0, bool AsText = false) : FaultEffect;

    /// <summary>Done, and answered this much later.</summary>
    public sealed record Delay(TimeSpan Duration) : FaultEffect
    {
        internal override bool IsDelay => true;
    }

    /// <summary>Delayed by a log-normal distribution, as networks do: half of the requests by less than the median, one in a hundred by more than p99.</summary>
    public sealed record Latency(TimeSpan Median, TimeSpan P99) : FaultEffect
    {
        /// <summary>The 99th percentile of the standard normal distribution.</summary>
        private const double Z99 = 2.3263478740408408;

        internal override bool IsDelay => true;

        internal TimeSpan Sample(Random random)
        {
            var sigma = P99 > Median ? Math.Log(P99 / Median) / Z99 : 0;
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            return Median * Math.Exp(sigma * normal);
        }
    }

    /// <summary>The connection breaks before anything is done.</summary>
    public sealed record DropBefore : FaultEffect;

    /// <summary>The request is done, and the connection breaks instead of an answer.</summary>
    public sealed record DropAfter : FaultEffect;

    /// <summary>The request is done, and the connection breaks after so many bytes of the body, in the middle of a line or not.</summary>
    public sealed record BreakBody(long AfterBytes) : FaultEffect;

    /// <summary>The request is taken and never answered; of a watch: headers, and then nothing for ever.</summary>
    public sealed record Silence : FaultEffect;

    /// <summary>A get or list is answered as of an older resourceVersion, as a lagging API server would.</summary>
    /// <param name="ResourceVersion">The state to serve; the oldest that is remembered when it is older than that.</param>
    public sealed record Stale(long ResourceVersion) : FaultEffect;

    /// <summary>A get or list is answered as of so many changes of the kind ago.</summary>
    public sealed record Lag(int Changes) : FaultEffect;
}
