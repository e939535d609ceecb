using Governor.Domain.Facts;
using Governor.Grains.Interfaces;
using Governor.Host.Tests.Fixture;

namespace Governor.Grains.Tests.Messages;

public sealed class MessageTests : IAsyncLifetime
{
    private GrainHost _host = null!;

    public async Task InitializeAsync() => _host = await GrainHost.StartAsync();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public void There_is_a_sample_of_every_kind_of_fact()
    {
        var kinds = typeof(Fact).Assembly.GetTypes().Where(t => t.IsSubclassOf(typeof(Fact)) && !t.IsAbstract);

        Assert.Equal(kinds.Select(k => k.Name).Order(), MessageSamples.Facts.Select(f => f.GetType().Name).Distinct().Order());
    }

    [Fact]
    public async Task Every_message_arrives_through_a_grain_call_as_it_was_sent()
    {
        var echo = _host.Grains.GetGrain<IEchoGrain>("echo");
        foreach (var (fact, i) in MessageSamples.Facts.Select((f, i) => (MessageSamples.Sent(f, i), i)))
            Assert.Equal(MessageSamples.Json(fact), MessageSamples.Json(await echo.FactAsync(fact)));
        foreach (var observation in MessageSamples.Observations)
            Assert.Equal(MessageSamples.Json(observation), MessageSamples.Json(await echo.ObservationAsync(observation)));
        foreach (var verdict in MessageSamples.Verdicts)
            Assert.Equal(verdict, await echo.VerdictAsync(verdict));
        Assert.Equal(new PackSigning("signature", "key"), await echo.SigningAsync(new PackSigning("signature", "key")));
        Assert.Null(await echo.SigningAsync(null));
    }
}
