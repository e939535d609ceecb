using System.Collections.Immutable;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>Something that is wrong, before it is known where.</summary>
internal readonly record struct Finding(AuditFaultClass Class, string Detail);

/// <summary>What the signatures on a checkpoint are worth.</summary>
internal static class CheckpointSignatures
{
    /// <summary>
    /// Our files hold one line of a key on a note. A repeated line would be another file that says the same.
    /// </summary>
    public static bool AreDistinct(SignedNote note) =>
        note.Signatures.DistinctBy(signature => (signature.Name, signature.KeyId)).Count() == note.Signatures.Length;

    /// <summary>Null when a key that is valid at this size signed it, and no such key's signature is false.</summary>
    /// <param name="valid">The log's keys that sign trees of this size; not empty, of one name.</param>
    public static Finding? Judge(SignedNote note, Checkpoint checkpoint, IReadOnlyCollection<VerifierKey> valid)
    {
        var name = valid.First().Name;
        var verdicts = valid.Select(key => (Key: key, Verdict: note.Verify(key))).ToArray();
        if (Array.Find(verdicts, v => v.Verdict == NoteVerdict.BadSignature).Key is { } bad)
            return new Finding(AuditFaultClass.BadSignature, $"the signature of {bad} on the checkpoint of {checkpoint.Size} leaves is false");
        if (checkpoint.Origin != name)
            return new Finding(AuditFaultClass.WrongOrigin, $"expected a checkpoint of '{name}', found one of '{checkpoint.Origin}'");
        if (!Array.Exists(verdicts, v => v.Verdict == NoteVerdict.Good))
            return new Finding(
                AuditFaultClass.WrongKey,
                $"expected a signature by {string.Join(" or ", valid)} at {checkpoint.Size} leaves, found {string.Join(", ", note.Signatures.Select(s => $"{s.Name} {s.KeyId:x8}"))}");
        return null;
    }

    /// <summary>The witnesses that cosigned it.</summary>
    /// <param name="finding">The false signature of one of them.</param>
    public static ImmutableArray<VerifierKey> Cosigners(SignedNote note, Checkpoint checkpoint, ImmutableArray<VerifierKey> witnesses, out Finding? finding)
    {
        finding = null;
        var good = ImmutableArray.CreateBuilder<VerifierKey>();
        foreach (var witness in witnesses)
        {
            var verdict = note.Verify(witness);
            if (verdict == NoteVerdict.Good)
                good.Add(witness);
            else if (verdict == NoteVerdict.BadSignature)
                finding ??= new Finding(AuditFaultClass.BadSignature, $"the cosignature of {witness} on the checkpoint of {checkpoint.Size} leaves is false");
        }
        return good.ToImmutable();
    }

    public static string Missing(AuditTrust trust, int cosigners, Checkpoint checkpoint) =>
        $"expected cosignatures of {trust.Quorum} of {trust.Witnesses.Length} witnesses on the checkpoint of {checkpoint.Size} leaves, found {cosigners}";
}
