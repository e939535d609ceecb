using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Cli.Audit;

/// <summary>A verdict as people and programs read it.</summary>
internal static class AuditVerdictText
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <param name="paths">The files that were verified, in the order in which they were given.</param>
    public static void Write(TextWriter output, AuditVerdict verdict, IReadOnlyList<string> paths, bool json)
    {
        if (json)
            output.WriteLine(Json(verdict, paths).ToJsonString(Indented));
        else
            WriteText(output, verdict, paths);
    }

    private static void WriteText(TextWriter output, AuditVerdict verdict, IReadOnlyList<string> paths)
    {
        output.WriteLine(verdict.Outcome switch
        {
            AuditOutcome.Ok => $"ok: {verdict.Leaves} events on {verdict.Chains} subjects are what was signed",
            AuditOutcome.Tampered => $"TAMPERED: {verdict.Fault!.Class} at {Place(verdict.Fault, paths)}: {verdict.Fault.Detail}",
            _ => $"incomplete: {verdict.Fault!.Class} at {Place(verdict.Fault, paths)}: {verdict.Fault.Detail}",
        });
        if (verdict.Checkpoint is { } checkpoint)
            output.WriteLine($"checkpoint: {checkpoint.Size} leaves, root {checkpoint.Root}");
        if (verdict.Key is { } key)
            output.WriteLine($"key: {key}{(verdict.KeyWasTrusted ? "" : " (from the file itself: compare it with the key you know, or give it with --key)")}");
        foreach (var later in verdict.CurrentKeys.Where(current => !current.Equals(verdict.Key)))
            output.WriteLine($"signs now: {later}");
        foreach (var witness in verdict.Cosigners)
            output.WriteLine($"cosigned: {witness.Name}");
        if (verdict.Erased > 0)
            output.WriteLine($"erased: the values of {verdict.Erased} events");
    }

    private static string Place(AuditFault fault, IReadOnlyList<string> paths)
    {
        var place = fault switch
        {
            { Index: < 0 } => "the header",
            _ when fault.Until - fault.Index > 1 => $"one of the leaves {fault.Index} to {fault.Until - 1}",
            _ => $"leaf {fault.Index}",
        };
        return paths.Count > 1 && fault.File is { } file ? $"{place} in {paths[file]}" : place;
    }

    private static JsonObject Json(AuditVerdict verdict, IReadOnlyList<string> paths) => new()
    {
        ["outcome"] = verdict.Outcome.ToString().ToLowerInvariant(),
        ["fault"] = verdict.Fault is { } fault
            ? new JsonObject
            {
                ["class"] = fault.Class.ToString(),
                ["index"] = fault.Index,
                ["until"] = fault.Until,
                ["file"] = fault.File is { } file ? paths[file] : null,
                ["detail"] = fault.Detail,
            }
            : null,
        ["events"] = verdict.Leaves,
        ["subjects"] = verdict.Chains,
        ["erased"] = verdict.Erased,
        ["checkpoint"] = verdict.Checkpoint is { } checkpoint
            ? new JsonObject { ["origin"] = checkpoint.Origin, ["size"] = checkpoint.Size, ["root"] = checkpoint.Root.ToString() }
            : null,
        ["key"] = verdict.Key?.ToString(),
        ["keyTrusted"] = verdict.KeyWasTrusted,
        ["currentKeys"] = Array(verdict.CurrentKeys),
        ["cosigners"] = Array(verdict.Cosigners),
    };

    private static JsonArray Array(IEnumerable<VerifierKey> keys) => [.. keys.Select(key => (JsonNode)key.ToString())];
}
