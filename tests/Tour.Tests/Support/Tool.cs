using System.Diagnostics;

namespace Governor.Tour.Tests.Support;

/// <summary>What a program printed, and how it ended.</summary>
internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    public override string ToString() => $"exit code {ExitCode}\n{Output}\n{Error}";
}

/// <summary>Programs that a person would run.</summary>
internal static class Tool
{
    public static async Task<ToolResult> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await Awaiting.DoneAsync(process.WaitForExitAsync(), $"the end of {program} {string.Join(' ', arguments)}", () => "it still runs");
        return new ToolResult(process.ExitCode, await output, await error);
    }
}
