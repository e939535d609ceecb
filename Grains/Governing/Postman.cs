using System.Text.Json;
using Governor.Domain.Facts;
using Governor.Grains.Interfaces;

namespace Governor.Grains.Governing;

/// <summary>Tells an actor's facts to others, and remembers what was told, so that one activation does not repeat itself.</summary>
internal sealed class Postman(Func<Address, IGoverned> receiver)
{
    private readonly Dictionary<(Address To, string Topic), string> _delivered = [];

    /// <param name="version">The committed version that the letters were made from.</param>
    public async Task DeliverAsync(Address from, long version, IEnumerable<Letter> letters)
    {
        List<Task>? sending = null;
        var told = new HashSet<(Address, string)>();
        foreach (var (to, fact) in letters)
        {
            told.Add((to, fact.Topic));
            var content = JsonSerializer.Serialize(fact, fact.GetType(), StateJson.Options);
            if (_delivered.GetValueOrDefault((to, fact.Topic)) != content)
                (sending ??= []).Add(SendAsync(to, fact with { From = from, Version = version }, content));
        }
        if (sending is not null)
            await Task.WhenAll(sending);
        // Whoever stopped listening and listens again is told again, also what he was told the last time.
        foreach (var former in _delivered.Keys.Where(letter => !told.Contains(letter)).ToList())
            _delivered.Remove(former);
    }

    /// <summary>Everything has to be told again.</summary>
    public void Forget() => _delivered.Clear();

    private async Task SendAsync(Address to, Fact fact, string content)
    {
        await receiver(to).TellAsync(fact);
        _delivered[(to, fact.Topic)] = content;
    }
}
