using System.Collections.Immutable;

namespace Governor.Domain.Facts;

/// <summary>Who wants to be told.</summary>
public static class Listening
{
    public static ImmutableSortedSet<Address> With(this ImmutableSortedSet<Address> listeners, Interest interest) =>
        interest.Active ? listeners.Add(interest.From) : listeners.Remove(interest.From);
}
