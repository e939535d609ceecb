using System.Text.Json.Serialization;
using Orleans;

namespace Governor.Domain.Facts;

/// <summary>
/// Something that one actor knows and others wait on. Facts are levels, not edges: the newest replaces all before it, telling it
/// again changes nothing, and a lost one is healed by the next. That is why they can be told again after any crash.
/// </summary>
[GenerateSerializer, Immutable]
public abstract record Fact
{
    /// <summary>Who says so. Set when the fact is sent.</summary>
    [Id(0)]
    public Address From { get; init; }

    /// <summary>The sender's committed version: of two facts from one sender about one topic, the higher is the truth.</summary>
    [Id(1)]
    public long Version { get; init; }

    /// <summary>Distinguishes the facts that one sender tells one receiver.</summary>
    [JsonIgnore]
    public virtual string Topic => GetType().Name;

    /// <summary>Whether this fact replaces <paramref name="known"/>. A receiver ignores facts that arrive late.</summary>
    public bool Supersedes(Fact? known) => known is null || Version >= known.Version;
}

/// <summary>"Tell me what you know, now and whenever it changes" — or, when not <paramref name="Active"/>, no longer.</summary>
[GenerateSerializer, Immutable]
public sealed record Interest(bool Active = true) : Fact;

/// <summary>A fact on its way to its receiver.</summary>
[GenerateSerializer, Immutable]
public sealed record Letter(Address To, Fact Fact);
