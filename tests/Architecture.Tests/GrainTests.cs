using System.Reflection;
using Governor.Domain.Facts;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces;
using Orleans;
using Orleans.Concurrency;

namespace Governor.Architecture.Tests;

/// <summary>The actors, as their assembly shows them.</summary>
public sealed class GrainTests
{
    internal static IEnumerable<Type> Grains => typeof(GovernedGrain<,>).Assembly.GetTypes().Where(type => type.IsAssignableTo(typeof(Grain)) && !type.IsAbstract);

    private static IEnumerable<Type> Contracts => typeof(IGoverned).Assembly.GetTypes()
        .Where(type => type.IsInterface && type.IsAssignableTo(typeof(IGrain)) && type != typeof(IGoverned));

    [Fact]
    public void Every_grain_implements_exactly_one_grain_interface_named_after_it()
    {
        Assert.NotEmpty(Grains);
        foreach (var grain in Grains)
        {
            var contracts = Contracts.Where(contract => contract.IsAssignableFrom(grain)).Select(contract => contract.Name).ToArray();
            Assert.True(contracts is [var only] && only == $"I{grain.Name}", $"{grain}: expected the one interface I{grain.Name}, found {string.Join(", ", contracts)}");
        }
    }

    [Fact]
    public void Every_grain_interface_has_exactly_one_grain()
    {
        foreach (var contract in Contracts)
            Assert.True(Grains.Count(contract.IsAssignableFrom) == 1, $"{contract}: expected one grain, found {Grains.Count(contract.IsAssignableFrom)}");
    }

    [Fact]
    public void Grains_are_sealed_and_live_in_the_folder_of_their_subject()
    {
        foreach (var grain in Grains)
        {
            Assert.True(grain.IsSealed, $"{grain}: expected sealed");
            Assert.True(grain.Namespace!.StartsWith("Governor.Grains.", StringComparison.Ordinal), $"{grain}: expected a folder of Grains/");
        }
    }

    [Fact]
    public void Governed_grains_stand_directly_on_the_one_base_and_are_reentrant()
    {
        foreach (var grain in Grains.Where(grain => grain.IsAssignableTo(typeof(IGoverned))))
        {
            Assert.True(StateOf(grain) is not null, $"{grain}: expected the base GovernedGrain, or DeclarationGrain, and no further layer of inheritance, found {grain.BaseType}");
            Assert.NotEmpty(grain.GetCustomAttributes<ReentrantAttribute>(inherit: true));
        }
    }

    [Fact]
    public void Every_grain_method_has_a_name_of_its_own_on_the_wire()
    {
        var wrong =
            from contract in Contracts.Append(typeof(IGoverned))
            from method in contract.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            where method.GetCustomAttributesData().All(data => data.AttributeType.Name != "AliasAttribute")
            select $"{contract.Name}.{method.Name}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void Subjects_are_different_and_every_one_has_an_actor()
    {
        var subjects = typeof(Subjects).GetFields().Select(field => (string)field.GetRawConstantValue()!).ToArray();

        Assert.Equal(subjects.Length, subjects.Distinct().Count());
        Assert.Equal(Contracts.Count(contract => contract.IsAssignableTo(typeof(IGoverned))), subjects.Length);
    }

    /// <summary>The state of a governed grain; null for others.</summary>
    // Declarations are of one shape, and theirs is the one layer between (ADR 20).
    internal static Type? StateOf(Type grain) =>
        grain.BaseType is { IsGenericType: true } above
        && (above.GetGenericTypeDefinition() == typeof(GovernedGrain<,>) || above.GetGenericTypeDefinition() == typeof(DeclarationGrain<>))
            ? above.GetGenericArguments()[0]
            : null;
}
