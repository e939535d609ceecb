using System.Reflection;

namespace Orleans.Serialization.Invocation;

/// <summary>A request: which method, with which arguments.</summary>
public interface IInvokable
{
    object? GetTarget();

    int GetArgumentCount();

    object? GetArgument(int index);

    void SetArgument(int index, object value);

    string GetMethodName();

    string GetInterfaceName();

    Type GetInterfaceType();

    MethodInfo GetMethod();

    CancellationToken GetCancellationToken();

    TimeSpan? GetDefaultResponseTimeout();
}

/// <summary>What a request came to: a result or an exception.</summary>
public abstract class Response
{
    public static Response Completed { get; } = new ValueResponse(null, null);

    public abstract object? Result { get; set; }

    public abstract Exception? Exception { get; set; }

    public static Response FromException(Exception exception) => new ValueResponse(null, exception);

    public static Response FromResult<TResult>(TResult value) => new ValueResponse(value, null);

    private sealed class ValueResponse(object? result, Exception? exception) : Response
    {
        public override object? Result { get; set; } = result;

        public override Exception? Exception { get; set; } = exception;
    }
}
