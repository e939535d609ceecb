using Governor.Host.Tests.Fixture;
using Governor.Host.Tests.Probes;
using Orleans;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Runtime;

namespace Governor.Host.Tests;

/// <summary>What travels with a call, and what a caller learns.</summary>
[Collection(OneSilo.Name)]
public sealed class CallTests(SharedHost host)
{
    private IProbeGrain Probe { get; } = host.Grains.GetGrain<IProbeGrain>(Fresh.Key("calls"));

    [Fact]
    public async Task Arguments_and_results_arrive()
    {
        Assert.Equal("hello", await Probe.Echo("hello").Soon());
        Assert.Equal(5, await Probe.Sum(2, 3).AsTask().Soon());
    }

    [Fact]
    public async Task A_caller_that_has_waited_too_long_gets_a_timeout_and_the_callee_goes_on()
    {
        var gate = Fresh.Key("slow");
        var error = await Assert.ThrowsAsync<TimeoutException>(() => Probe.HoldImpatiently(gate).Soon());
        Assert.Contains(Probe.GetPrimaryKeyString(), error.Message, StringComparison.Ordinal);

        Gate.Of(gate).Open();
        await Gate.Of(gate).Left();
        Assert.Equal("well", await Probe.Echo("well").Soon());
    }

    [Fact]
    public async Task A_cycle_ends_with_a_timeout_that_names_both_grains()
    {
        var (one, other) = (Fresh.Key("one"), Fresh.Key("other"));
        var error = await Assert.ThrowsAsync<TimeoutException>(() => host.Grains.GetGrain<IProbeGrain>(one).GoRound(other).Soon());
        Assert.Contains(one, error.ToString(), StringComparison.Ordinal);
        Assert.Contains(other, error.ToString(), StringComparison.Ordinal);

        Assert.Equal("free", await host.Grains.GetGrain<IProbeGrain>(one).Echo("free").Soon());
        Assert.Equal("free", await host.Grains.GetGrain<IProbeGrain>(other).Echo("free").Soon());
    }

    [Fact]
    public async Task A_one_way_call_is_done_for_its_caller_before_it_is_done_for_the_grain()
    {
        var gate = Fresh.Key("one-way");
        await Probe.HoldOneWay(gate).Soon();
        await Gate.Of(gate).Entered();
        Gate.Of(gate).Open();
        await Gate.Of(gate).Left();
    }

    [Fact]
    public async Task Request_context_flows_to_the_callee_and_on_from_there_and_does_not_come_back()
    {
        var key = Fresh.Key("context");
        RequestContext.Set(key, "from the test");
        Assert.Equal("from the test", await Probe.Context(key).Soon());
        Assert.Equal("from the grain", await Probe.ContextOf(Fresh.Key("calls"), key, "from the grain").Soon());
        Assert.Equal("from the test", RequestContext.Get(key));

        RequestContext.Clear();
        Assert.Null(await Probe.Context(key).Soon());
    }

    [Fact]
    public async Task Cancelling_reaches_the_callee_and_frees_the_caller()
    {
        var gate = Fresh.Key("cancelled");
        using var cancellation = new CancellationTokenSource();
        var waiting = Probe.AwaitCancellation(gate, cancellation.Token);
        await Gate.Of(gate + "/waiting").Entered();

        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting.Soon());
        await Gate.Of(gate).Entered();
    }

    [Fact]
    public async Task Filters_of_the_silo_see_every_call_and_may_answer_in_the_grains_place()
    {
        await using var filtered = await GrainHost.StartAsync(silo => silo.AddIncomingGrainCallFilter(async context =>
        {
            if (context.Grain is not ProbeGrain || context.MethodName != nameof(IProbeGrain.Echo))
            {
                await context.Invoke();
                return;
            }

            switch (context.Request.GetArgument(0) as string)
            {
                case "forbidden":
                    throw new UnauthorizedAccessException($"{context.InterfaceMethod.Name} of {context.TargetId.Key}");
                case "known":
                    context.Result = "answered by the filter";
                    return;
                default:
                    await context.Invoke();
                    context.Result += ", seen";
                    return;
            }
        }));
        var key = Fresh.Key("filtered");
        var probe = filtered.Grains.GetGrain<IProbeGrain>(key);

        Assert.Equal("anything, seen", await probe.Echo("anything").Soon());
        Assert.Equal("answered by the filter", await probe.Echo("known").Soon());
        var error = await Assert.ThrowsAsync<UnauthorizedAccessException>(() => probe.Echo("forbidden").Soon());
        Assert.Equal($"{nameof(IProbeGrain.Echo)} of {key}", error.Message);
        await Assert.ThrowsAsync<InvalidOperationException>(() => probe.Fail("through the filter").Soon());
        Assert.Equal(3, await probe.Sum(1, 2).AsTask().Soon());
    }

    [Fact]
    public async Task Outgoing_filters_see_the_call_before_it_leaves()
    {
        await using var filtered = await GrainHost.StartAsync(silo => silo.AddOutgoingGrainCallFilter(async context =>
        {
            if (context.InterfaceMethod.DeclaringType == typeof(IProbeGrain))
                RequestContext.Set("sent-by", "the filter");
            await context.Invoke();
        }));
        Assert.Equal("the filter", await filtered.Grains.GetGrain<IProbeGrain>(Fresh.Key("outgoing")).Context("sent-by").Soon());
    }

    [Fact]
    public async Task A_grain_with_too_many_requests_refuses_more()
    {
        await using var strict = await GrainHost.StartAsync(silo =>
            silo.Configure<SiloMessagingOptions>(options => options.MaxEnqueuedRequestsHardLimit = 1));
        var probe = strict.Grains.GetGrain<IProbeGrain>(Fresh.Key("crowded"));
        var gate = Fresh.Key("crowded");
        var running = probe.Hold(gate);
        await Gate.Of(gate).Entered();
        var waiting = probe.Hold(gate);
        await Assert.ThrowsAsync<LimitExceededException>(() => probe.Hold(gate).Soon());

        Gate.Of(gate).Open();
        await Task.WhenAll(running, waiting).Soon();
    }

    [Fact]
    public async Task A_grain_filters_its_own_calls()
    {
        var probe = host.Grains.GetGrain<IFilteringProbeGrain>(Fresh.Key("filters"));
        Assert.Equal("[hello]", await probe.Echo("hello").Soon());
        Assert.Equal("withheld", await probe.Secret().Soon());
    }
}
