using System.Diagnostics.Metrics;
using Governor.Embedded.Runtime.Activations;

namespace Governor.Embedded.Runtime.Calls;

/// <summary>
/// The calls whose callers wait, so that each wait has a bound and a timeout can say who waits for whom. Striped doubly linked lists:
/// adding and removing are a few instructions under a lock that is rarely contended.
/// </summary>
internal sealed class PendingCalls : IDisposable
{
    private static readonly TimeSpan Coarsest = TimeSpan.FromMilliseconds(250);

    private readonly Stripe[] stripes = [.. Enumerable.Range(0, 16).Select(_ => new Stripe())];
    private readonly TimeProvider clock;
    private readonly TimeSpan defaultTimeout;
    private readonly Counter<long> timedOut;
    private readonly ITimer sweeper;

    public PendingCalls(TimeProvider clock, TimeSpan defaultTimeout, Counter<long> timedOut)
    {
        this.timedOut = timedOut;
        this.clock = clock;
        this.defaultTimeout = defaultTimeout;
        var every = defaultTimeout > TimeSpan.Zero && defaultTimeout / 4 < Coarsest ? defaultTimeout / 4 : Coarsest;
        sweeper = clock.CreateTimer(static state => ((PendingCalls)state!).FailExpired(), this, every, every);
    }

    public void Add(GrainCall call)
    {
        call.Pending.Timeout = call.Method.ResponseTimeout ?? defaultTimeout;
        call.Pending.Started = clock.GetTimestamp();
        stripes[Environment.CurrentManagedThreadId & 15].Add(call);
    }

    public static void Remove(GrainCall call) => call.Pending.Stripe?.Remove(call);

    /// <summary>Fails every pending call, for a silo that has stopped.</summary>
    public void FailAll(Func<GrainCall, Exception> reason)
    {
        foreach (var call in Snapshot())
            call.Fail(reason(call));
    }

    public void Dispose() => sweeper.Dispose();

    private void FailExpired()
    {
        var now = clock.GetTimestamp();
        var expired = new List<GrainCall>();
        foreach (var stripe in stripes)
            stripe.CollectInto(expired, call => call.Pending.Timeout > TimeSpan.Zero && clock.GetElapsedTime(call.Pending.Started, now) >= call.Pending.Timeout);

        // All messages first: failing one call removes the link that explains the next one.
        foreach (var (call, error) in expired.ConvertAll(late => (late, new TimeoutException(Explain(late)))))
        {
            if (!call.Fail(error))
                continue;
            timedOut.Add(1);
            call.CancelOnTimeout?.Cancel();
        }
    }

    private string Explain(GrainCall call) =>
        $"Response did not arrive on time in {call.Pending.Timeout} for message: {call}. {WaitingChain.From(call, WaitsOf)}";

    /// <summary>The oldest unanswered call of an activation.</summary>
    private GrainCall? WaitsOf(Activation activation) => Snapshot()
        .Where(call => !call.IsSettled && ReferenceEquals(call.Source, activation))
        .MinBy(call => call.Pending.Started);

    private List<GrainCall> Snapshot()
    {
        var calls = new List<GrainCall>();
        foreach (var stripe in stripes)
            stripe.CollectInto(calls, _ => true);
        return calls;
    }

    /// <summary>A call's place in its stripe.</summary>
    internal struct Link
    {
        public Stripe? Stripe;
        public GrainCall? Previous;
        public GrainCall? Next;
        public bool IsRemoved;
        public TimeSpan Timeout;
        public long Started;
    }

    internal sealed class Stripe
    {
        private readonly Lock sync = new();
        private GrainCall? head;

        public void Add(GrainCall call)
        {
            lock (sync)
            {
                call.Pending.Stripe = this;

                // A cancellation may have settled it between its promise and this moment; whoever comes second must see the other.
                Interlocked.MemoryBarrier();
                if (call.IsSettled)
                    return;
                call.Pending.Next = head;
                if (head is not null)
                    head.Pending.Previous = call;
                head = call;
            }
        }

        public void Remove(GrainCall call)
        {
            lock (sync)
            {
                ref var link = ref call.Pending;
                if (link.IsRemoved || (link.Previous is null && !ReferenceEquals(head, call)))
                    return;
                link.IsRemoved = true;
                if (link.Previous is not null)
                    link.Previous.Pending.Next = link.Next;
                else
                    head = link.Next;
                if (link.Next is not null)
                    link.Next.Pending.Previous = link.Previous;
                link.Previous = link.Next = null;
            }
        }

        public void CollectInto(List<GrainCall> calls, Func<GrainCall, bool> which)
        {
            lock (sync)
            {
                for (var call = head; call is not null; call = call.Pending.Next)
                {
                    if (which(call))
                        calls.Add(call);
                }
            }
        }
    }
}
