using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Cli.Audit;

/// <summary><c>governor audit verify FILE</c>: offline, from the bytes of an export alone.</summary>
internal static class AuditVerifyCommand
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    public static Command Build()
    {
        var file = new Argument<string>("export") { Description = "The exported trail; - for standard input" };
        var key = new Option<string?>("--key") { Description = "The log's public key (NAME+HASH+KEY or base64), or a file with it; without it the file vouches for itself" };
        var known = new Option<string?>("--checkpoint") { Description = "A file with a checkpoint known from elsewhere: finds a history that was rolled back or forked" };
        var format = new Option<string>("--output", "-o") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("verify", "Verify an exported trail offline: 0 ok, 1 tampered, 2 incomplete, 3 usage") { file, key, known, format };
        command.SetAction(parsed =>
        {
            var trust = Trust(parsed.GetValue(key), parsed.GetValue(known));
            using var export = Open(parsed.GetRequiredValue(file));
            var verdict = Verify(export, trust, parsed.GetRequiredValue(file));
            var output = parsed.InvocationConfiguration.Output;
            if (parsed.GetValue(format) == "json")
                output.WriteLine(Json(verdict).ToJsonString(Indented));
            else
                WriteText(output, verdict);
            return verdict.Outcome switch
            {
                AuditOutcome.Ok => ExitCode.Ok,
                AuditOutcome.Tampered => ExitCode.No,
                _ => ExitCode.Incomplete,
            };
        });
        return command;
    }

    private static AuditTrust Trust(string? key, string? known)
    {
        var trust = key is null ? AuditTrust.None : TrustedKey.Parse(key);
        if (known is null)
            return trust;
        if (!File.Exists(known))
            throw new UsageException($"--checkpoint: there is no file '{known}'");
        if (!SignedNote.TryParse(File.ReadAllBytes(known), out var note) || !Checkpoint.TryParse(note.Text, out var checkpoint))
            throw new UsageException($"--checkpoint: {known}: expected a signed checkpoint (C2SP tlog-checkpoint), found something else");
        if (!trust.PublicKey.IsEmpty && note.Verify(new VerifierKey(checkpoint.Origin, trust.PublicKey.AsSpan())) != NoteVerdict.Good)
            throw new UsageException($"--checkpoint: {known}: not signed by the key given with --key");
        return trust with { Known = [checkpoint], Origin = trust.Origin ?? checkpoint.Origin };
    }

    private static Stream Open(string path)
    {
        if (path == "-")
            return Console.OpenStandardInput();
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"cannot read the export '{path}': {e.Message}", e);
        }
    }

    private static AuditVerdict Verify(Stream export, AuditTrust trust, string path)
    {
        try
        {
            return AuditVerifier.Verify(export, trust);
        }
        catch (IOException e)
        {
            throw new UsageException($"cannot read the export '{path}': {e.Message}", e);
        }
    }

    private static void WriteText(TextWriter output, AuditVerdict verdict)
    {
        var place = verdict.Fault switch
        {
            null => "",
            { Index: < 0 } => "the header",
            { } fault when fault.Until - fault.Index > 1 => $"one of the leaves {fault.Index} to {fault.Until - 1}",
            { } fault => $"leaf {fault.Index}",
        };
        output.WriteLine(verdict.Outcome switch
        {
            AuditOutcome.Ok => $"ok: {verdict.Leaves} events on {verdict.Chains} subjects are what was signed",
            AuditOutcome.Tampered => $"TAMPERED: {verdict.Fault!.Class} at {place}: {verdict.Fault.Detail}",
            _ => $"incomplete: {verdict.Fault!.Class} at {place}: {verdict.Fault.Detail}",
        });
        if (verdict.Checkpoint is { } checkpoint)
            output.WriteLine($"checkpoint: {checkpoint.Size} leaves, root {checkpoint.Root}");
        if (verdict.Key is { } key)
            output.WriteLine($"key: {key}{(verdict.KeyWasTrusted ? "" : " (from the file itself: compare it with the key you know, or give it with --key)")}");
        if (verdict.Erased > 0)
            output.WriteLine($"erased: the values of {verdict.Erased} events");
    }

    private static JsonObject Json(AuditVerdict verdict) => new()
    {
        ["outcome"] = verdict.Outcome.ToString().ToLowerInvariant(),
        ["fault"] = verdict.Fault is { } fault
            ? new JsonObject { ["class"] = fault.Class.ToString(), ["index"] = fault.Index, ["until"] = fault.Until, ["detail"] = fault.Detail }
            : null,
        ["events"] = verdict.Leaves,
        ["subjects"] = verdict.Chains,
        ["erased"] = verdict.Erased,
        ["checkpoint"] = verdict.Checkpoint is { } checkpoint
            ? new JsonObject { ["origin"] = checkpoint.Origin, ["size"] = checkpoint.Size, ["root"] = checkpoint.Root.ToString() }
            : null,
        ["key"] = verdict.Key?.ToString(),
        ["keyTrusted"] = verdict.KeyWasTrusted,
    };
}
