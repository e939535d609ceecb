namespace Orleans;

/// <summary>Marks a type whose instances cross a grain call; Orleans generates a serializer for it, the embedded host passes it by reference.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Enum)]
public sealed class GenerateSerializerAttribute : Attribute
{
    /// <summary>Whether primary constructor parameters are serialized; Orleans' default is yes for records only.</summary>
    public bool IncludePrimaryConstructorParameters { get; init; }
}

/// <summary>The stable id of a serialized member.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Enum | AttributeTargets.Method
    | AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public sealed class IdAttribute(uint id) : Attribute
{
    public uint Id { get; } = id;
}

/// <summary>A name for a type, interface or method that survives renames.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Enum | AttributeTargets.Method | AttributeTargets.Interface,
    AllowMultiple = true)]
public sealed class AliasAttribute(string alias) : Attribute
{
    public string Alias { get; } = alias;
}

/// <summary>Promises that an instance is never changed after it was handed over, so that the host need not copy it.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct | AttributeTargets.Property | AttributeTargets.Field
    | AttributeTargets.Parameter | AttributeTargets.ReturnValue, Inherited = false)]
public sealed class ImmutableAttribute : Attribute;

/// <summary>How long a caller waits for this method, in place of the silo's default.</summary>
/// <param name="timeout">A <see cref="TimeSpan"/> in invariant form, such as <c>00:00:05</c>.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ResponseTimeoutAttribute(string timeout) : Attribute
{
    public TimeSpan? Timeout { get; init; } = TimeSpan.Parse(timeout, System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>Marks a converter between a type that cannot carry attributes and its serializable surrogate.</summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Struct)]
public sealed class RegisterConverterAttribute : Attribute;

/// <summary>Converts between a type that cannot carry attributes and its serializable surrogate. Unused in one process; Orleans needs it.</summary>
public interface IConverter<TValue, TSurrogate>
    where TSurrogate : struct
{
    TValue ConvertFromSurrogate(in TSurrogate surrogate);

    TSurrogate ConvertToSurrogate(in TValue value);
}
