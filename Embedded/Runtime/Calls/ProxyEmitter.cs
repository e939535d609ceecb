using System.Reflection;
using System.Reflection.Emit;
using Governor.Embedded.Runtime.Hosting;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Calls;

/// <summary>
/// Emits, per grain interface, one reference class that implements it and, per method, one call class with the arguments in typed fields:
/// a call costs no reflection and boxes nothing.
/// </summary>
internal static class ProxyEmitter
{
    private const BindingFlags Anything = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance;

    private static readonly Lock Sync = new();
    private static readonly HashSet<string> Opened = [];
    private static readonly AssemblyBuilder Assembly =
        AssemblyBuilder.DefineDynamicAssembly(new("Governor.Embedded.Proxies"), AssemblyBuilderAccess.Run);

    private static readonly ModuleBuilder Module = Assembly.DefineDynamicModule("Governor.Embedded.Proxies");
    private static readonly ConstructorInfo OpenTo = DefineAccessAttribute();
    private static int emitted;

    /// <summary>Makes references of one interface.</summary>
    internal delegate GrainReference Factory(Silo silo, GrainId id, GrainInterfaceType interfaceType);

    /// <exception cref="NotSupportedException">The interface has a member that cannot be a grain call.</exception>
    public static Factory Emit(Type interfaceType)
    {
        lock (Sync)
        {
            Open(typeof(ProxyEmitter));
            var proxy = Module.DefineType(
                $"{interfaceType.Name}_Reference_{++emitted}", TypeAttributes.Public | TypeAttributes.Sealed, typeof(GrainReference));
            foreach (var contract in interfaceType.GetInterfaces().Append(interfaceType))
            {
                Open(contract);
                proxy.AddInterfaceImplementation(contract);
                foreach (var method in contract.GetMethods(Anything).Where(method => method.IsAbstract))
                    EmitMethod(proxy, contract, method);
            }

            var create = EmitCreate(proxy, EmitConstructor(proxy));
            return proxy.CreateType().GetMethod(create.Name)!.CreateDelegate<Factory>();
        }
    }

    private static ConstructorBuilder EmitConstructor(TypeBuilder proxy)
    {
        Type[] parameters = [typeof(Silo), typeof(GrainId), typeof(GrainInterfaceType)];
        var constructor = proxy.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, parameters);
        var il = constructor.GetILGenerator();
        for (var i = 0; i <= parameters.Length; i++)
            il.Emit(OpCodes.Ldarg, i);
        il.Emit(OpCodes.Call, typeof(GrainReference).GetConstructor(Anything, parameters)!);
        il.Emit(OpCodes.Ret);
        return constructor;
    }

    private static MethodBuilder EmitCreate(TypeBuilder proxy, ConstructorBuilder constructor)
    {
        var create = proxy.DefineMethod(
            "Create", MethodAttributes.Public | MethodAttributes.Static, typeof(GrainReference), [typeof(Silo), typeof(GrainId), typeof(GrainInterfaceType)]);
        var il = create.GetILGenerator();
        for (var i = 0; i < 3; i++)
            il.Emit(OpCodes.Ldarg, i);
        il.Emit(OpCodes.Newobj, constructor);
        il.Emit(OpCodes.Ret);
        return create;
    }

    private static void EmitMethod(TypeBuilder proxy, Type contract, MethodInfo method)
    {
        Check(contract, method);
        var parameters = Array.ConvertAll(method.GetParameters(), parameter => parameter.ParameterType);
        foreach (var type in parameters.Append(method.ReturnType))
            Open(type);
        var call = EmitCall(contract, method, parameters);

        var body = proxy.DefineMethod(
            $"{contract.FullName}.{method.Name}",
            MethodAttributes.Private | MethodAttributes.Virtual | MethodAttributes.Final | MethodAttributes.HideBySig | MethodAttributes.NewSlot,
            method.ReturnType,
            parameters);
        var il = body.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Newobj, call.GetConstructor(Type.EmptyTypes)!);
        for (var i = 0; i < parameters.Length; i++)
        {
            il.Emit(OpCodes.Dup);
            il.Emit(OpCodes.Ldarg, i + 1);
            il.Emit(OpCodes.Stfld, call.GetField($"Argument{i}")!);
        }

        EmitSend(il, method);
        il.Emit(OpCodes.Ret);
        proxy.DefineMethodOverride(body, method);
    }

    /// <summary>Reference and call are on the stack; leaves what the method returns.</summary>
    private static void EmitSend(ILGenerator il, MethodInfo method)
    {
        var returns = method.ReturnType;
        var isOneWay = new GrainMethod(method.DeclaringType!, method).IsOneWay;
        if (isOneWay)
        {
            il.Emit(OpCodes.Call, typeof(GrainReference).GetMethod(nameof(GrainReference.SendOneWay), Anything)!);
            if (returns == typeof(Task))
                il.Emit(OpCodes.Call, typeof(Task).GetProperty(nameof(Task.CompletedTask))!.GetMethod!);
            else if (returns == typeof(ValueTask))
                il.Emit(OpCodes.Call, typeof(ValueTask).GetProperty(nameof(ValueTask.CompletedTask))!.GetMethod!);
            return;
        }

        var result = ResultOf(returns);
        var send = typeof(GrainReference).GetMethods(Anything)
            .Single(candidate => candidate.Name == nameof(GrainReference.Send) && candidate.IsGenericMethod == result is not null);
        il.Emit(OpCodes.Call, result is null ? send : send.MakeGenericMethod(result));
        if (IsValueTask(returns))
            il.Emit(OpCodes.Newobj, returns.GetConstructor([result is null ? typeof(Task) : typeof(Task<>).MakeGenericType(result)])!);
    }

    private static Type EmitCall(Type contract, MethodInfo method, Type[] parameters)
    {
        var parent = ResultOf(method.ReturnType) is { } result ? typeof(ValueCall<>).MakeGenericType(result) : typeof(VoidCall);
        var call = Module.DefineType($"{contract.Name}_{method.Name}_Call_{++emitted}", TypeAttributes.Public | TypeAttributes.Sealed, parent);
        call.DefineDefaultConstructor(MethodAttributes.Public);
        var arguments = new FieldBuilder[parameters.Length];
        for (var i = 0; i < parameters.Length; i++)
            arguments[i] = call.DefineField($"Argument{i}", parameters[i], FieldAttributes.Public);
        var shape = call.DefineField("Shape", typeof(GrainMethod), FieldAttributes.Public | FieldAttributes.Static);

        var il = Override(call, parent.GetProperty(nameof(GrainCall.Method))!.GetMethod!);
        il.Emit(OpCodes.Ldsfld, shape);
        il.Emit(OpCodes.Ret);
        EmitInvokeTarget(call, contract, method, arguments);
        if (arguments.Length > 0)
            EmitArgumentAccess(call, arguments);

        var type = call.CreateType();
        type.GetField("Shape")!.SetValue(null, new GrainMethod(contract, method));
        return type;
    }

    private static void EmitInvokeTarget(TypeBuilder call, Type contract, MethodInfo method, FieldBuilder[] arguments)
    {
        var il = Override(call, typeof(GrainCall).GetMethod(nameof(GrainCall.InvokeTarget))!);
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Castclass, contract);
        foreach (var argument in arguments)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldfld, argument);
        }

        il.Emit(OpCodes.Callvirt, method);
        if (method.ReturnType == typeof(void))
        {
            il.Emit(OpCodes.Call, typeof(Task).GetProperty(nameof(Task.CompletedTask))!.GetMethod!);
        }
        else if (IsValueTask(method.ReturnType))
        {
            var task = il.DeclareLocal(method.ReturnType);
            il.Emit(OpCodes.Stloc, task);
            il.Emit(OpCodes.Ldloca, task);
            il.Emit(OpCodes.Call, method.ReturnType.GetMethod(nameof(ValueTask.AsTask))!);
        }

        il.Emit(OpCodes.Ret);
    }

    private static void EmitArgumentAccess(TypeBuilder call, FieldBuilder[] arguments)
    {
        var il = Override(call, typeof(GrainCall).GetMethod(nameof(GrainCall.GetArgumentCount))!);
        il.Emit(OpCodes.Ldc_I4, arguments.Length);
        il.Emit(OpCodes.Ret);

        EmitSwitch(call, nameof(GrainCall.GetArgument), arguments, (body, argument) =>
        {
            body.Emit(OpCodes.Ldarg_0);
            body.Emit(OpCodes.Ldfld, argument);
            body.Emit(OpCodes.Box, argument.FieldType);
        });
        EmitSwitch(call, nameof(GrainCall.SetArgument), arguments, (body, argument) =>
        {
            body.Emit(OpCodes.Ldarg_0);
            body.Emit(OpCodes.Ldarg_2);
            body.Emit(OpCodes.Unbox_Any, argument.FieldType);
            body.Emit(OpCodes.Stfld, argument);
        });
    }

    private static void EmitSwitch(TypeBuilder call, string name, FieldBuilder[] arguments, Action<ILGenerator, FieldBuilder> emit)
    {
        var overridden = typeof(GrainCall).GetMethod(name)!;
        var il = Override(call, overridden);
        var labels = Array.ConvertAll(arguments, _ => il.DefineLabel());
        il.Emit(OpCodes.Ldarg_1);
        il.Emit(OpCodes.Switch, labels);
        for (var i = 0; i < overridden.GetParameters().Length + 1; i++)
            il.Emit(OpCodes.Ldarg, i);
        il.Emit(OpCodes.Call, overridden);
        il.Emit(OpCodes.Ret);
        for (var i = 0; i < arguments.Length; i++)
        {
            il.MarkLabel(labels[i]);
            emit(il, arguments[i]);
            il.Emit(OpCodes.Ret);
        }
    }

    private static ILGenerator Override(TypeBuilder type, MethodInfo method)
    {
        var body = type.DefineMethod(
            method.Name,
            MethodAttributes.Public | MethodAttributes.Virtual | MethodAttributes.HideBySig,
            method.ReturnType,
            Array.ConvertAll(method.GetParameters(), parameter => parameter.ParameterType));
        return body.GetILGenerator();
    }

    private static void Check(Type contract, MethodInfo method)
    {
        var complaint = method switch
        {
            { IsSpecialName: true } => "properties and events are not grain calls",
            { IsGenericMethod: true } => "the embedded host does not serve generic grain methods",
            _ when method.GetParameters().Any(parameter => parameter.ParameterType.IsByRef) => "ref, in and out parameters do not cross a grain call",
            _ when method.ReturnType != typeof(void) && method.ReturnType != typeof(Task) && method.ReturnType != typeof(ValueTask)
                && ResultOf(method.ReturnType) is null => "a grain call returns Task, Task<T>, ValueTask, ValueTask<T> or void",
            _ => null,
        };
        if (complaint is not null)
            throw new NotSupportedException($"{contract.FullName}.{method.Name} cannot be a grain call: {complaint}; found {method.ReturnType}.");
    }

    private static bool IsValueTask(Type type) =>
        type == typeof(ValueTask) || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>));

    /// <summary>The T of a task; null for tasks without one.</summary>
    private static Type? ResultOf(Type type) =>
        type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>))
            ? type.GetGenericArguments()[0]
            : null;

    /// <summary>Lets the emitted classes see the internal types of an assembly, so that grain interfaces may be internal.</summary>
    private static void Open(Type type)
    {
        foreach (var argument in type.IsGenericType ? type.GetGenericArguments() : [])
            Open(argument);
        if (type.Assembly.GetName().Name is { } name && Opened.Add(name))
            Assembly.SetCustomAttribute(new CustomAttributeBuilder(OpenTo, [name]));
    }

    /// <summary>The attribute the runtime looks for by its name; no library defines it.</summary>
    private static ConstructorInfo DefineAccessAttribute()
    {
        var attribute = Module.DefineType(
            "System.Runtime.CompilerServices.IgnoresAccessChecksToAttribute", TypeAttributes.Public | TypeAttributes.Sealed, typeof(Attribute));
        var constructor = attribute.DefineConstructor(MethodAttributes.Public, CallingConventions.Standard, [typeof(string)]);
        var il = constructor.GetILGenerator();
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Call, typeof(Attribute).GetConstructor(Anything, Type.EmptyTypes)!);
        il.Emit(OpCodes.Ret);
        return attribute.CreateType().GetConstructor([typeof(string)])!;
    }
}
