using System.Collections.Immutable;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;

namespace Governor.Grains.Watches;

/// <summary>Who follows which objects of one stream.</summary>
public sealed class Following
{
    private readonly Dictionary<Address, ImmutableHashSet<ObjectKey>> _sets = [];
    private readonly Dictionary<ObjectKey, ImmutableSortedSet<Address>> _followers = [];

    /// <summary>The objects that somebody follows.</summary>
    public IReadOnlyCollection<ObjectKey> Objects => _followers.Keys;

    public bool IsEmpty => _sets.Count == 0;

    public bool Has(ObjectKey key) => _followers.ContainsKey(key);

    /// <summary>Those who follow an object.</summary>
    public ImmutableSortedSet<Address> Of(ObjectKey key) => _followers.GetValueOrDefault(key, []);

    /// <summary>Replaces a follower's set. Answers which objects he did not follow before, and which nobody follows any more.</summary>
    public (ImmutableHashSet<ObjectKey> New, ImmutableHashSet<ObjectKey> Left) Replace(Address follower, ImmutableHashSet<ObjectKey> objects)
    {
        var before = _sets.GetValueOrDefault(follower, []);
        if (objects.IsEmpty)
            _sets.Remove(follower);
        else
            _sets[follower] = objects;
        var (added, left) = (objects.Except(before), before.Except(objects));
        foreach (var key in added)
            _followers[key] = Of(key).Add(follower);
        foreach (var key in left)
        {
            _followers[key] = Of(key).Remove(follower);
            if (_followers[key].IsEmpty)
                _followers.Remove(key);
        }
        return (added, [.. left.Where(key => !Has(key))]);
    }
}
