using System.CommandLine;
using System.CommandLine.Invocation;

namespace Governor.Compiler;

/// <summary>What a command ends with.</summary>
public static class ExitCode
{
    public const int Success = 0;

    /// <summary>The input or the registry did not allow it; stderr says why.</summary>
    public const int Failure = 1;

    /// <summary>The command line is not one of ours.</summary>
    public const int Usage = 2;
}

/// <summary>The commands of <c>compiler</c>. It renders and pushes; it never talks to a cluster.</summary>
public static class CompilerCommandLine
{
    /// <param name="environment">Reads an environment variable.</param>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments, TextWriter output, TextWriter error, Func<string, string?> environment, CancellationToken cancellation)
    {
        var root = new RootCommand("Compiles offline manifests for human review; never talks to a cluster") { PackBuildCommand.Create(environment) };
        var parsed = root.Parse(arguments);
        var code = await parsed.InvokeAsync(new InvocationConfiguration { Output = output, Error = error }, cancellation).ConfigureAwait(false);
        return parsed.Action is ParseErrorAction ? ExitCode.Usage : code;
    }
}
