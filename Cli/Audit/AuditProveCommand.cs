using System.CommandLine;
using System.Text;
using Governor.Cli.Silo;
using Governor.Domain.Audit;

namespace Governor.Cli.Audit;

/// <summary><c>governor audit prove LEAF</c>: one event as a file that convinces without us.</summary>
internal static class AuditProveCommand
{
    public static Command Build()
    {
        var silo = new SiloConnection();
        var leaf = new Argument<long>("leaf") { Description = "The event's index in the log, as 'governor audit list' shows it" };
        var file = new Option<string?>("--file", "-f") { Description = "Where to; standard output when absent" };
        var key = new Option<string>("--key") { Description = "The log's public key: the answer is checked before it is written", Required = true };
        var command = new Command("prove", "Fetch one event with its inclusion proof, the checkpoint, and the witnesses' cosignatures (C2SP tlog-proof)") { leaf, file, key };
        silo.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var trust = TrustedKey.Parse(parsed.GetRequiredValue(key));
            using var client = silo.Open(parsed);
            using var answer = await client.AskAsync($"/api/v1/audit/proofs/{parsed.GetValue(leaf)}", cancellation);
            var proof = await answer.Content.ReadAsByteArrayAsync(cancellation);
            var verdict = AuditBundle.Verify(proof, trust);
            if (verdict.Outcome != AuditOutcome.Ok)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"{verdict.Outcome.ToString().ToUpperInvariant()}: {verdict.Fault!.Class} at leaf {verdict.Fault.Index}: {verdict.Fault.Detail}");
                return verdict.Outcome == AuditOutcome.Tampered ? ExitCode.No : ExitCode.Incomplete;
            }
            if (parsed.GetValue(file) is not { } path)
            {
                await parsed.InvocationConfiguration.Output.WriteAsync(Encoding.UTF8.GetString(proof));
                return ExitCode.Ok;
            }
            using var content = new MemoryStream(proof);
            await WholeFile.WriteAsync(path, content, cancellation);
            await parsed.InvocationConfiguration.Output.WriteLineAsync($"{path}: leaf {parsed.GetValue(leaf)} of {verdict.Checkpoint!.Size}");
            return ExitCode.Ok;
        });
        return command;
    }
}
