using System.Security.Cryptography;
using System.Text.Json;
using Governor.Domain.Transparency;

namespace Governor.Journal.Recovery;

/// <summary>What lies beside a dump and says what it is.</summary>
/// <param name="Checkpoint">The newest signed note at the moment of the dump; null when nothing was signed yet.</param>
/// <param name="TreeSize">The size of that checkpoint.</param>
/// <param name="Migrations">The schema's version.</param>
/// <param name="Dump">The file's name, in pg_dump's custom format.</param>
/// <param name="Sha256">Of the dump, in hexadecimal.</param>
public sealed record BackupManifest(
    string Format, DateTimeOffset TakenAt, string ServerVersion, IReadOnlyList<string> Migrations, string? Checkpoint, long TreeSize,
    string Dump, string Sha256, long Bytes)
{
    public const string FileName = "manifest.json";

    internal const string CurrentFormat = "governor-journal-backup/1";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>The checkpoint's content; null when nothing was signed yet.</summary>
    /// <exception cref="RecoveryException">What stands there is not a checkpoint.</exception>
    public Checkpoint? ReadCheckpoint()
    {
        if (Checkpoint is null)
            return null;
        return SignedNote.TryParse(Checkpoint, out var note) && Domain.Transparency.Checkpoint.TryParse(note.Text, out var checkpoint) && checkpoint.Size == TreeSize
            ? checkpoint
            : throw new RecoveryException($"{FileName}: checkpoint: expected a signed checkpoint of {TreeSize} leaves, found something else");
    }

    /// <exception cref="RecoveryException">There is none, or it is of another format.</exception>
    public static async Task<BackupManifest> ReadAsync(string folder, CancellationToken cancellation)
    {
        var path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
            throw new RecoveryException($"{path}: expected a backup's manifest, found nothing: not a backup, or one that was interrupted");
        try
        {
            await using var file = File.OpenRead(path);
            var manifest = await JsonSerializer.DeserializeAsync<BackupManifest>(file, Json, cancellation);
            if (manifest?.Format != CurrentFormat || manifest.Dump is null || manifest.Sha256 is null || Path.GetFileName(manifest.Dump) != manifest.Dump)
                throw new RecoveryException($"{path}: expected the format {CurrentFormat}, found '{manifest?.Format}'");
            return manifest;
        }
        catch (JsonException e)
        {
            throw new RecoveryException($"{path}: not JSON: {e.Message}", e);
        }
    }

    /// <summary>Checks that the dump is the one that was made.</summary>
    /// <returns>The dump's path.</returns>
    /// <exception cref="RecoveryException">It is missing, or other bytes.</exception>
    public async Task<string> VerifyDumpAsync(string folder, CancellationToken cancellation)
    {
        var path = Path.Combine(folder, Dump);
        if (!File.Exists(path))
            throw new RecoveryException($"{path}: the dump is missing");
        var (sha256, bytes) = await DigestAsync(path, cancellation);
        return sha256 == Sha256 && bytes == Bytes
            ? path
            : throw new RecoveryException($"{path}: expected {Bytes} bytes with SHA-256 {Sha256}, found {bytes} bytes with {sha256}: it was altered or cut off");
    }

    internal async Task WriteAsync(string folder, CancellationToken cancellation)
    {
        // The manifest comes last and whole: a folder that has one holds a complete backup.
        var draft = Path.Combine(folder, $".{FileName}.{Guid.NewGuid():n}");
        await using (var file = new FileStream(draft, FileMode.CreateNew, FileAccess.Write))
        {
            await JsonSerializer.SerializeAsync(file, this, Json, cancellation);
            file.Flush(flushToDisk: true);
        }
        File.Move(draft, Path.Combine(folder, FileName), overwrite: false);
    }

    internal static async Task<(string Sha256, long Bytes)> DigestAsync(string path, CancellationToken cancellation)
    {
        await using var file = File.OpenRead(path);
        var hash = await SHA256.HashDataAsync(file, cancellation);
        return (Convert.ToHexStringLower(hash), file.Length);
    }
}
