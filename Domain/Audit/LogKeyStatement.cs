using System.Diagnostics.CodeAnalysis;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>What happens to a key of the log.</summary>
public enum LogKeyChange
{
    /// <summary>A further key may sign from here on.</summary>
    Add,

    /// <summary>A key takes another one's place from here on.</summary>
    Rotate,

    /// <summary>A key signs nothing from here on, although nothing takes its place.</summary>
    Revoke,
}

/// <summary>
/// A change of the log's keys, as an event carries it in its new value: a signed note. An added key is signed for by itself and by a
/// key that is valid; a rotation by both keys; a revocation by another valid key, because the revoked one may be in other hands.
/// <code>
/// governor-log-key/1
/// add | rotate | revoke
/// VERIFIER-KEY                  (the new key; for a revocation the revoked one)
/// by VERIFIER-KEY               (the valid key that signs for it; for a rotation the one that is replaced)
/// </code>
/// </summary>
public sealed record LogKeyStatement(LogKeyChange Change, VerifierKey Key, VerifierKey By)
{
    private const string FirstLine = "governor-log-key/1";
    private const string ByWord = "by ";

    /// <summary>The signed part of the note.</summary>
    public string Text => $"{FirstLine}\n{Change.ToString().ToLowerInvariant()}\n{Key}\n{ByWord}{By}\n";

    /// <summary>The action of the event that carries it.</summary>
    public string Action => Change switch
    {
        LogKeyChange.Add => AuditActions.KeyAdded,
        LogKeyChange.Rotate => AuditActions.KeyRotated,
        _ => AuditActions.KeyRevoked,
    };

    /// <summary>The keys that must have signed it.</summary>
    public IEnumerable<VerifierKey> Signers => Change == LogKeyChange.Revoke ? [By] : [By, Key];

    /// <param name="sign">Signs for a key.</param>
    public SignedNote Sign(Func<VerifierKey, ReadOnlyMemory<byte>, byte[]> sign)
    {
        var notes = Signers.Select(key => SignedNote.Sign(Text, key, message => sign(key, message))).ToArray();
        return notes[0].With(notes.Skip(1).SelectMany(note => note.Signatures));
    }

    /// <summary>Reads a statement and checks its own signatures; whether <see cref="By"/> was valid is the keyring's to say.</summary>
    public static bool TryVerify(string note, [NotNullWhen(true)] out LogKeyStatement? statement, [NotNullWhen(false)] out string? fault)
    {
        statement = null;
        fault = null;
        if (!SignedNote.TryParse(note, out var signed) || signed.Text.Split('\n') is not [FirstLine, var word, var keyLine, var byLine, ""]
            || ChangeOf(word) is not { } change || !VerifierKey.TryParse(keyLine, out var key)
            || !byLine.StartsWith(ByWord, StringComparison.Ordinal) || !VerifierKey.TryParse(byLine[ByWord.Length..], out var by))
        {
            fault = $"expected a signed note '{FirstLine}' with a change, a key, and the key that signs for it";
            return false;
        }
        var candidate = new LogKeyStatement(change, key, by);
        if (candidate.Text != signed.Text || key.Name != by.Name || key.Equals(by) || key.Type != NoteKeyType.Ed25519 || by.Type != NoteKeyType.Ed25519)
            fault = $"expected two log keys of one name, found {key} and {by}";
        else if (candidate.Signers.FirstOrDefault(signer => signed.Verify(signer) != NoteVerdict.Good) is { } missing)
            fault = $"the statement is not signed by {missing}";
        else
            statement = candidate;
        return statement is not null;
    }

    private static LogKeyChange? ChangeOf(string word) => word switch
    {
        "add" => LogKeyChange.Add,
        "rotate" => LogKeyChange.Rotate,
        "revoke" => LogKeyChange.Revoke,
        _ => null,
    };
}
