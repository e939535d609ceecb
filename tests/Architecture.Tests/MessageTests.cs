using System.Reflection;
using System.Runtime.CompilerServices;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Orleans;

namespace Governor.Architecture.Tests;

/// <summary>
/// What actors say to each other cannot be changed afterwards, and can cross a wire. The embedded host passes messages by reference:
/// only this keeps its actors apart.
/// </summary>
public sealed class MessageTests
{
    private const BindingFlags Instance = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly Assembly[] Ours = [typeof(Fact).Assembly, typeof(IGoverned).Assembly];

    private static readonly Type[] Plain =
    [
        typeof(string), typeof(decimal), typeof(DateTimeOffset), typeof(DateTime), typeof(TimeSpan), typeof(Guid), typeof(Uri), typeof(CancellationToken),
    ];

    /// <summary>Fields that look as if they could change, and why they do not.</summary>
    private static readonly (Type Type, string Field, string Why)[] Exceptions =
    [
        (typeof(KubeObject), "_json", "its own copy, which nobody else sees but as read-only memory"),
        (typeof(KubeObject), "_root", "the same bytes, parsed when first asked for; not serialized"),
    ];

    public static TheoryData<string> Facts =>
        [.. Ours.SelectMany(assembly => assembly.GetTypes()).Where(type => type.IsAssignableTo(typeof(Fact))).Select(type => type.FullName!)];

    public static TheoryData<string> States => [.. GrainTests.Grains.Select(GrainTests.StateOf).OfType<Type>().Select(type => type.FullName!)];

    [Theory]
    [MemberData(nameof(Facts))]
    public void A_fact_is_immutable_and_can_cross_a_wire(string name) => AssertSound([Find(name)], crossesWire: true);

    [Fact]
    public void Whatever_a_grain_method_takes_or_answers_is_immutable_and_can_cross_a_wire()
    {
        var crossing =
            from contract in typeof(IGoverned).Assembly.GetTypes()
            where contract.IsInterface && contract.IsAssignableTo(typeof(IGrain))
            from method in contract.GetMethods()
            from type in method.GetParameters().Select(parameter => parameter.ParameterType).Append(method.ReturnType)
            select type;

        AssertSound(crossing.Append(typeof(Letter)), crossesWire: true);
    }

    [Theory]
    [MemberData(nameof(States))]
    public void The_state_of_an_actor_is_immutable(string name) => AssertSound([Find(name)], crossesWire: false);

    [Fact]
    public void Facts_have_topics_that_stay_the_same_when_they_are_told_again()
    {
        // A topic tells the facts of one sender to one receiver apart. A type's name always does unless there are several of a kind.
        var told = new Interest { From = new Address(Subjects.Pack, "a/b"), Version = 1 };

        Assert.Equal(told.Topic, (told with { Version = 2 }).Topic);
        Assert.True((told with { Version = 2 }).Supersedes(told));
        Assert.False(told.Supersedes(told with { Version = 2 }));
    }

    private static Type Find(string name) => Ours.Select(assembly => assembly.GetType(name)).OfType<Type>().Single();

    private static void AssertSound(IEnumerable<Type> roots, bool crossesWire)
    {
        var wrong = new List<string>();
        var seen = new HashSet<(Type, bool)>();
        var open = new Queue<(Type Type, string From, bool AsBase)>(roots.Select(type => (type, "a grain call", false)));
        while (open.TryDequeue(out var next))
            foreach (var part in Parts(next.Type).Where(part => seen.Add((part, next.AsBase))))
            {
                if (!Ours.Contains(part.Assembly))
                {
                    if (!IsImmutable(part))
                        wrong.Add($"{part} in {next.From}: expected a type that cannot be changed");
                    continue;
                }
                if (part.IsEnum)
                    continue;
                wrong.AddRange(Faults(part, crossesWire));
                foreach (var field in part.GetFields(Instance).Where(field => !IsException(field)))
                    open.Enqueue((field.FieldType, $"{part.Name}.{field.Name}", false));
                if (part.BaseType is { } above && Ours.Contains(above.Assembly))
                    open.Enqueue((above, part.Name, true));
                // A field of an abstract type may hold any of its kind; a base alone is a part of the one that derives from it.
                foreach (var below in next.AsBase ? [] : Ours.SelectMany(assembly => assembly.GetTypes()).Where(type => type.BaseType == part))
                    open.Enqueue((below, part.Name, false));
            }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Distinct()));
    }

    private static IEnumerable<string> Faults(Type type, bool crossesWire)
    {
        if (!type.IsSealed && !type.IsAbstract)
            yield return $"{type}: expected sealed or abstract";
        if (crossesWire && type.GetCustomAttributesData().All(data => data.AttributeType.Name != "GenerateSerializerAttribute"))
            yield return $"{type}: expected [GenerateSerializer]";
        if (crossesWire && type.GetCustomAttributesData().All(data => data.AttributeType.Name != "ImmutableAttribute"))
            yield return $"{type}: expected [Immutable]";
        // What a record's head declares is numbered by its place there; whatever stands in its body would be left behind.
        foreach (var property in crossesWire ? type.GetFields(Instance).Select(PropertyOf).OfType<PropertyInfo>() : [])
            if (!IsInHead(property) && property.GetCustomAttributesData().All(data => data.AttributeType.Name != "IdAttribute"))
                yield return $"{type}.{property.Name}: expected [Id]";
        foreach (var field in type.GetFields(Instance).Where(field => !field.IsInitOnly && !IsException(field)))
            if (PropertyOf(field) is not { } property || !IsInitOnly(property))
                yield return $"{type}.{field.Name}: expected a field that only construction can set";
        foreach (var property in type.GetProperties(Instance).Where(property => property.SetMethod is not null && !IsInitOnly(property)))
            yield return $"{type}.{property.Name}: expected init or no setter";
    }

    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType ? [type]
        : type.IsGenericParameter || type == typeof(Task) || type == typeof(void) ? []
        : !type.IsConstructedGenericType ? [type]
        : type.GetGenericArguments().SelectMany(Parts).Concat(
            type.GetGenericTypeDefinition() is var open && (open == typeof(Task<>) || open == typeof(ValueTask<>) || open == typeof(Nullable<>)) ? [] : [open]);

    private static bool IsImmutable(Type type) =>
        type.IsPrimitive || type.IsEnum || Plain.Contains(type) || type == typeof(object) || type == typeof(ValueType)
        || type.Namespace == "System.Collections.Immutable";

    private static bool IsException(FieldInfo field) => Exceptions.Any(exception => exception.Type == field.DeclaringType && exception.Field == field.Name);

    private static PropertyInfo? PropertyOf(FieldInfo field) =>
        field.Name.StartsWith('<') ? field.DeclaringType!.GetProperty(field.Name[1..field.Name.IndexOf('>', StringComparison.Ordinal)], Instance) : null;

    private static bool IsInHead(PropertyInfo property) => property.DeclaringType!.GetConstructors(Instance)
        .Any(constructor => constructor.GetParameters().Any(parameter => parameter.Name == property.Name && parameter.ParameterType == property.PropertyType));

    private static bool IsInitOnly(PropertyInfo property) =>
        property.SetMethod is null || property.SetMethod.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit));
}
