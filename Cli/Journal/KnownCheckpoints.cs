using System.CommandLine;
using Governor.Domain.Transparency;
using Governor.Journal;
using Governor.Journal.Recovery;

namespace Governor.Cli.Journal;

/// <summary>The option that names checkpoints from outside the database.</summary>
internal static class KnownCheckpoints
{
    public static Option<string[]> Option() => new("--checkpoint")
    {
        Description = "A file with a checkpoint that was published outside the database, for instance the data of a cluster's ConfigMap governor-checkpoint; may be repeated. The silo's own checkpoint file is taken, too",
    };

    /// <exception cref="UsageException">A file is not there, or holds something else.</exception>
    public static IReadOnlyList<KnownCheckpoint> Read(IEnumerable<string> given, JournalOptions? options)
    {
        var paths = given.ToList();
        if (options is { CheckpointFile.Length: > 0 } && File.Exists(options.CheckpointFile) && !paths.Contains(options.CheckpointFile))
            paths.Add(options.CheckpointFile);
        return [.. paths.Select(Read)];
    }

    public static KnownCheckpoint Read(string path)
    {
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"--checkpoint: {e.Message}", e);
        }
        return SignedNote.TryParse(bytes, out var note) && Checkpoint.TryParse(note.Text, out var checkpoint)
            ? new KnownCheckpoint(path, checkpoint)
            : throw new UsageException($"--checkpoint: {path}: expected a signed checkpoint (C2SP tlog-checkpoint), found something else");
    }
}
