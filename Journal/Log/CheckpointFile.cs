using System.Text;
using Governor.Grains.Interfaces.Ports;
using Microsoft.Extensions.Options;

namespace Governor.Journal.Log;

/// <summary>
/// Keeps the newest checkpoint in a file: on another volume than the database's it outlives a rollback of the database, and tells of it.
/// </summary>
public sealed class CheckpointFile(IOptions<JournalOptions> options) : IOutsideCheckpoints
{
    private readonly string _path = options.Value.CheckpointFile;

    public async Task<IReadOnlyList<OutsideCheckpoint>> ReadAsync(CancellationToken cancellation)
    {
        if (_path.Length == 0 || !File.Exists(_path))
            return [];
        try
        {
            return [new OutsideCheckpoint(_path, await File.ReadAllTextAsync(_path, cancellation))];
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    /// <summary>
    /// Replaces the checkpoint. Whoever reads finds the old one or the new one; a crash of the machine may bring the old one back, which
    /// is as true as the new one.
    /// </summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    internal async Task WriteAsync(string note, CancellationToken cancellation)
    {
        if (_path.Length == 0)
            return;
        var draft = $"{_path}.new";
        try
        {
            await using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write, FileShare.None))
            {
                await file.WriteAsync(Encoding.UTF8.GetBytes(note), cancellation);
                file.Flush(flushToDisk: true);
            }
            File.Move(draft, _path, overwrite: true);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }
}
