using System.Runtime.CompilerServices;

namespace Governor.Watchers.Tests.Support;

internal static class Bounded
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The result, or a failure that says what was waited for in vain.</summary>
    public static async Task<T> Within<T>(this Task<T> task, [CallerArgumentExpression(nameof(task))] string what = "")
    {
        try
        {
            return await task.WaitAsync(Patience);
        }
        catch (TimeoutException) when (!task.IsCompleted)
        {
            throw new TimeoutException($"waited {Patience} in vain for {what}");
        }
    }

    public static async Task Within(this Task task, [CallerArgumentExpression(nameof(task))] string what = "") =>
        await WithResult(task).Within(what);

    private static async Task<bool> WithResult(Task task)
    {
        await task;
        return true;
    }
}
