using Orleans;

namespace Governor.Grains.Watches;

/// <summary>How far a stream's actors have been told and have committed it; kept in grain storage, because it is nobody's decision.</summary>
[GenerateSerializer]
public sealed class WatchPlace
{
    /// <summary>The name of the grain storage that it is kept in.</summary>
    public const string Storage = "Watches";

    /// <summary>Everything up to here is committed; "" for nothing.</summary>
    [Id(0)]
    public string ResourceVersion { get; set; } = "";

    /// <summary>How many events the journal had by then. A journal with fewer is an older one: it does not know what was told.</summary>
    [Id(1)]
    public long Events { get; set; }

    /// <summary>Which build told it. Another one may read more out of an object, and is told everything again.</summary>
    [Id(2)]
    public string Build { get; set; } = "";
}
