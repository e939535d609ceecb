using System.Collections.Immutable;
using Governor.Domain.Packs;

namespace Governor.Grains.Packs;

/// <summary>A delivery cannot go on.</summary>
public sealed class DeliveryException(DeliveryFailure failure) : Exception($"{failure.Step}: {failure.Object}: {failure.Message}")
{
    private const int Listed = 20;

    public DeliveryFailure Failure { get; } = failure;

    /// <summary>What the step had applied by then.</summary>
    public ImmutableArray<AppliedObject> Applied { get; init; } = [];

    public static DeliveryException Of(string step, string item, string reason, string message) => new(new DeliveryFailure(step, item, reason, message));

    /// <summary>The first failure, with the others named in its message.</summary>
    public static DeliveryException Of(ImmutableArray<DeliveryFailure> failures)
    {
        var others = failures.Length > 1
            ? $" (and {failures.Length - 1} more: {string.Join("; ", failures.Skip(1).Take(Listed).Select(f => $"{f.Object}: {f.Message}"))})"
            : "";
        return new DeliveryException(failures[0] with { Message = failures[0].Message + others });
    }
}
