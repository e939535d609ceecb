using Governor.Domain.Facts;
using Governor.Grains.Interfaces;
using Governor.Grains.Tests.Messages;
using Governor.Grains.Watches;
using Governor.Host.Tests.Fixture;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;

namespace Governor.Grains.Tests.Wire;

/// <summary>What a message goes through between two silos. In one silo immutable messages are handed over as they are.</summary>
public sealed class WireTests : IAsyncLifetime
{
    private GrainHost _host = null!;

    public async Task InitializeAsync() => _host = await GrainHost.StartAsync();

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public void Every_fact_is_the_same_on_the_other_side()
    {
        foreach (var (fact, i) in MessageSamples.Facts.Select((f, i) => (MessageSamples.Sent(f, i), i)))
            Assert.Equal(MessageSamples.Json(fact), MessageSamples.Json(Travel<Fact>(fact)));
    }

    [Fact]
    public void Every_observation_is_the_same_on_the_other_side()
    {
        foreach (var observation in MessageSamples.Observations)
            Assert.Equal(MessageSamples.Json(observation), MessageSamples.Json(Travel(observation)));
    }

    [Fact]
    public void Answers_and_stored_bookmarks_are_the_same_on_the_other_side()
    {
        foreach (var verdict in MessageSamples.Verdicts)
            Assert.Equal(verdict, Travel(verdict));
        Assert.Equal(new PackSigning("signature", "key"), Travel(new PackSigning("signature", "key")));
        var place = Travel(new WatchPlace { ResourceVersion = "42", Events = 7, Build = "build" });
        Assert.Equal(("42", 7, "build"), (place.ResourceVersion, place.Events, place.Build));
    }

    private T Travel<T>(T message)
    {
        var serializer = _host.Services.GetRequiredService<Serializer>();
        return serializer.Deserialize<T>(serializer.SerializeToArray(message))!;
    }
}
