using Orleans;

namespace Governor.Domain.Facts;

/// <summary>An actor: its subject (<c>cluster</c>, <c>pack</c>, <c>packexecution</c>, …) and its key.</summary>
[GenerateSerializer, Immutable]
public readonly record struct Address(string Subject, string Key) : IComparable<Address>
{
    public int CompareTo(Address other) =>
        string.CompareOrdinal(Subject, other.Subject) is var bySubject and not 0 ? bySubject : string.CompareOrdinal(Key, other.Key);

    public override string ToString() => $"{Subject}/{Key}";

    public static bool operator <(Address left, Address right) => left.CompareTo(right) < 0;

    public static bool operator >(Address left, Address right) => left.CompareTo(right) > 0;

    public static bool operator <=(Address left, Address right) => left.CompareTo(right) <= 0;

    public static bool operator >=(Address left, Address right) => left.CompareTo(right) >= 0;
}
