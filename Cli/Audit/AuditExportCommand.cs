using System.CommandLine;
using Governor.Cli.Silo;

namespace Governor.Cli.Audit;

/// <summary><c>governor audit export</c>: the whole log, as a file that verifies offline.</summary>
internal static class AuditExportCommand
{
    public static Command Build()
    {
        var silo = new SiloConnection();
        var file = new Argument<string>("file") { Description = "Where to; - for standard output" };
        var from = new Option<long>("--from") { Description = "The first leaf; what is before it is in another file" };
        var command = new Command("export", "Write the log up to its newest checkpoint into a file, for 'governor audit verify'") { file, from };
        silo.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            using var client = silo.Open(parsed);
            using var answer = await client.AskAsync($"/api/v1/audit/export?from={parsed.GetValue(from)}", cancellation);
            await using var content = await answer.Content.ReadAsStreamAsync(cancellation);
            var path = parsed.GetRequiredValue(file);
            if (path == "-")
            {
                await using var output = Console.OpenStandardOutput();
                await content.CopyToAsync(output, cancellation);
                return ExitCode.Ok;
            }
            await WholeFile.WriteAsync(path, content, cancellation);
            await parsed.InvocationConfiguration.Error.WriteLineAsync($"{path}: verify it with 'governor audit verify {path} --key …'");
            return ExitCode.Ok;
        });
        return command;
    }
}
