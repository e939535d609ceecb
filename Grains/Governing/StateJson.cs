using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Governor.Grains.Governing;

/// <summary>
/// How an actor's state is written to the journal. A state that was written before a record gained a field is read as if the field
/// had been there and empty: what must not be null is never null.
/// </summary>
public static class StateJson
{
    private static readonly string[] NamesOfEmpty = ["Empty", "None"];
    private static readonly ConcurrentDictionary<Type, object?> Empties = [];

    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter() },
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        IncludeFields = false,
        TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { FillWhatIsMissing } },
    };

    private static void FillWhatIsMissing(JsonTypeInfo type)
    {
        // Boxed values would be filled in vain.
        if (type.Kind != JsonTypeInfoKind.Object || type.Type.IsValueType)
            return;
        var fillable = type.Properties
            .Where(p => p is { Get: not null, Set: not null, IsGetNullable: false })
            .Select(p => (p.Get, p.Set, Empty: Empties.GetOrAdd(p.PropertyType, EmptyOf)))
            .Where(p => p.Empty is not null)
            .ToArray();
        if (fillable.Length == 0)
            return;
        type.OnDeserialized = read =>
        {
            foreach (var (get, set, empty) in fillable)
                if (get!(read) is not { } value || (value.GetType().IsValueType && value.Equals(Activator.CreateInstance(value.GetType()))))
                    set!(read, empty);
        };
    }

    // Immutable collections and strings have a static Empty, our own records a static None or Empty where there is such a thing.
    private static object? EmptyOf(Type type)
    {
        const BindingFlags Static = BindingFlags.Public | BindingFlags.Static;
        return NamesOfEmpty
            .Select(name => (object?)type.GetField(name, Static) ?? type.GetProperty(name, Static))
            .Select(member => member switch
            {
                FieldInfo field when field.FieldType == type => field.GetValue(null),
                PropertyInfo property when property.PropertyType == type => property.GetValue(null),
                _ => null,
            })
            .FirstOrDefault(value => value is not null);
    }
}
