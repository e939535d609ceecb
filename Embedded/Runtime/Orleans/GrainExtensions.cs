using Orleans.Runtime;

namespace Orleans;

/// <summary>Keys and references of grains.</summary>
public static class GrainExtensions
{
    public static TGrainInterface AsReference<TGrainInterface>(this IAddressable grain) =>
        (TGrainInterface)grain.AsReference(typeof(TGrainInterface));

    public static object AsReference(this IAddressable grain, Type interfaceType)
    {
        var reference = ReferenceOf(grain);
        return reference.Silo.References.Create(interfaceType, reference.GrainId);
    }

    public static TGrainInterface Cast<TGrainInterface>(this IAddressable grain) => grain.AsReference<TGrainInterface>();

    public static object Cast(this IAddressable grain, Type interfaceType) => grain.AsReference(interfaceType);

    public static GrainId GetGrainId(this IAddressable grain) => grain switch
    {
        GrainReference reference => reference.GrainId,
        IGrainBase { GrainContext: { } context } => context.GrainId,
        null => throw new ArgumentNullException(nameof(grain)),
        _ => throw NotAGrain(grain),
    };

    public static string GetPrimaryKeyString(this IAddressable grain) => grain.GetGrainId().Key.ToString();

    private static GrainReference ReferenceOf(IAddressable grain) => grain switch
    {
        GrainReference reference => reference,
        IGrainBase { GrainContext: { } context } => context.GrainReference,
        null => throw new ArgumentNullException(nameof(grain)),
        _ => throw NotAGrain(grain),
    };

    private static ArgumentException NotAGrain(IAddressable grain) =>
        new($"Expected a grain or a grain reference, found {grain.GetType().FullName}.", nameof(grain));
}
