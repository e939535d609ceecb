using System.Reflection;
using System.Reflection.Emit;

namespace Governor.Architecture.Tests.Support;

/// <summary>One use of a type, or of a member of it, by a type of ours.</summary>
/// <param name="User">The outermost type around the use.</param>
/// <param name="Member">Null where only the type is named: in a signature, a field, a cast.</param>
internal sealed record IlReference(Type User, Type Used, string? Member)
{
    public override string ToString() => $"{User.FullName} uses {Used.FullName}{(Member is null ? "" : $".{Member}")}";
}

/// <summary>What the compiled code of an assembly uses: exact, whatever the source calls it.</summary>
internal static class IlReferences
{
    private const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    private static readonly Dictionary<short, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value);

    public static IEnumerable<IlReference> Of(Assembly assembly) => assembly.GetTypes().SelectMany(Of).Distinct();

    private static IEnumerable<IlReference> Of(Type type)
    {
        var user = type;
        while (user.DeclaringType is { } outer)
            user = outer;
        var named = type.GetFields(Declared).Select(field => field.FieldType)
            .Concat(type.GetInterfaces())
            .Concat(Methods(type).SelectMany(Named))
            .Append(type.BaseType ?? typeof(object))
            .SelectMany(Parts)
            .Select(used => new IlReference(user, used, null));
        return named.Concat(Methods(type).SelectMany(Operands).SelectMany(member => Uses(user, member)));
    }

    private static IEnumerable<MethodBase> Methods(Type type) => type.GetMethods(Declared).Concat<MethodBase>(type.GetConstructors(Declared));

    private static IEnumerable<Type> Named(MethodBase method) => method.GetParameters().Select(parameter => parameter.ParameterType)
        .Append(method is MethodInfo { ReturnType: var result } ? result : typeof(void))
        .Concat(method.GetMethodBody()?.LocalVariables.Select(local => local.LocalType) ?? []);

    private static IEnumerable<IlReference> Uses(Type user, MemberInfo member) => member is Type type
        ? Parts(type).Select(used => new IlReference(user, used, null))
        : Parts(member.DeclaringType!).Select(used => new IlReference(user, used, member.Name));

    private static IEnumerable<Type> Parts(Type type) =>
        type.HasElementType ? Parts(type.GetElementType()!)
        : type.IsGenericParameter || type.IsFunctionPointer ? []
        : type.IsConstructedGenericType ? type.GetGenericArguments().SelectMany(Parts).Prepend(type.GetGenericTypeDefinition())
        : [type];

    private static IEnumerable<MemberInfo> Operands(MethodBase method)
    {
        if (method.GetMethodBody()?.GetILAsByteArray() is not { } il)
            yield break;
        var typeArguments = method.DeclaringType is { IsGenericType: true } declaring ? declaring.GetGenericArguments() : null;
        var methodArguments = method.IsGenericMethod ? method.GetGenericArguments() : null;
        for (var at = 0; at < il.Length;)
        {
            short value = il[at++];
            if (value == 0xFE)
                value = unchecked((short)(0xFE00 | il[at++]));
            var code = OpCodesByValue[value];
            if (code.OperandType is OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok)
                yield return method.Module.ResolveMember(BitConverter.ToInt32(il, at), typeArguments, methodArguments)!;
            at += Length(code, il, at);
        }
    }

    private static int Length(OpCode code, byte[] il, int at) => code.OperandType switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(il, at)),
        _ => 4,
    };
}
