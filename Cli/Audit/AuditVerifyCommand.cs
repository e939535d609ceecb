using System.Collections.Immutable;
using System.CommandLine;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Cli.Audit;

/// <summary><c>governor audit verify FILE...</c>: offline, from the bytes of exports, archives or a bundle alone.</summary>
internal static class AuditVerifyCommand
{
    public static Command Build()
    {
        var files = new Argument<string[]>("file")
        {
            Description = "The exported trail, or its archives and the live export together, or one bundle (.tlog-proof); - for standard input",
            Arity = ArgumentArity.OneOrMore,
        };
        var key = new Option<string?>("--key") { Description = "A public key of the log (NAME+HASH+KEY or base64), or a file with it: the first, or one that signs now; without it the files vouch for themselves" };
        var known = new Option<string[]>("--checkpoint") { Description = "A file with a checkpoint known from elsewhere: finds a history that was rolled back or forked; may be repeated" };
        var witness = new Option<string[]>("--witness") { Description = "A trusted witness' key (NAME+HASH+KEY), or a file with it; may be repeated" };
        var quorum = new Option<int?>("--quorum") { Description = "How many of the witnesses must have cosigned the last checkpoint; all of them unless said" };
        var format = new Option<string>("--output", "-o") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("verify", "Verify an exported trail offline: 0 ok, 1 tampered, 2 incomplete, 3 usage") { files, key, known, witness, quorum, format };
        command.SetAction(parsed =>
        {
            var trust = Trust(parsed.GetValue(key), parsed.GetValue(known) ?? [], parsed.GetValue(witness) ?? [], parsed.GetValue(quorum));
            var paths = parsed.GetRequiredValue(files);
            var verdict = Verify(paths, trust);
            AuditVerdictText.Write(parsed.InvocationConfiguration.Output, verdict, paths, json: parsed.GetValue(format) == "json");
            return verdict.Outcome switch
            {
                AuditOutcome.Ok => ExitCode.Ok,
                AuditOutcome.Tampered => ExitCode.No,
                _ => ExitCode.Incomplete,
            };
        });
        return command;
    }

    private static AuditTrust Trust(string? key, string[] known, string[] witnesses, int? quorum)
    {
        var trust = key is null ? AuditTrust.None : TrustedKey.Parse(key);
        var checkpoints = known.Select(path => Known(path, trust)).ToImmutableArray();
        if (checkpoints.Select(checkpoint => checkpoint.Origin).Append(trust.Origin).OfType<string>().Distinct().ToArray() is { Length: > 1 } origins)
            throw new UsageException($"--checkpoint: expected checkpoints of one log, found {string.Join(", ", origins)}");
        var keys = witnesses.Select(TrustedKey.ParseWitness).Distinct().ToImmutableArray();
        if (quorum is { } number && (number < 0 || number > keys.Length))
            throw new UsageException($"--quorum: expected 0 to {keys.Length}, the number of trusted witnesses (--witness); found {number}");
        return trust with
        {
            Known = checkpoints,
            Origin = trust.Origin ?? checkpoints.FirstOrDefault()?.Origin,
            Witnesses = keys,
            Quorum = quorum ?? keys.Length,
        };
    }

    private static Checkpoint Known(string path, AuditTrust trust)
    {
        if (!File.Exists(path))
            throw new UsageException($"--checkpoint: there is no file '{path}'");
        if (!SignedNote.TryParse(File.ReadAllBytes(path), out var note) || !Checkpoint.TryParse(note.Text, out var checkpoint))
            throw new UsageException($"--checkpoint: {path}: expected a signed checkpoint (C2SP tlog-checkpoint), found something else");
        // It may well be signed by a key of before a rotation; but what bears this key's name must be of this key.
        if (!trust.PublicKey.IsEmpty && VerifierKey.IsName(checkpoint.Origin)
            && note.Verify(new VerifierKey(checkpoint.Origin, trust.PublicKey.AsSpan())) == NoteVerdict.BadSignature)
            throw new UsageException($"--checkpoint: {path}: its signature by the key given with --key is false");
        return checkpoint;
    }

    private static AuditVerdict Verify(string[] paths, AuditTrust trust)
    {
        var opened = new List<TrailFile>();
        try
        {
            foreach (var path in paths)
                opened.Add(TrailFile.Open(path));
            if (opened.Find(file => file.IsBundle) is not { } bundle)
                return AuditVerifier.Verify([.. opened.Select(file => file.Content)], trust);
            return opened.Count == 1
                ? AuditBundle.Verify(bundle.ReadAll(AuditBundle.MaximumBytes), trust)
                : throw new UsageException($"'{bundle.Path}' is a bundle: it is verified alone");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"cannot read {string.Join(", ", paths.Select(path => $"'{path}'"))}: {e.Message}", e);
        }
        finally
        {
            foreach (var file in opened)
                file.Dispose();
        }
    }
}
