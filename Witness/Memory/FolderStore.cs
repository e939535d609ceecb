using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Governor.Domain.Transparency;

namespace Governor.Witness.Memory;

/// <summary>
/// Remembers in a folder that belongs to one process: for each log a file <c>NAME.note</c>, which is the cosigned note as other tools
/// read it, and <c>NAME.alarm.json</c> where there is an alarm.
/// </summary>
public sealed partial class FolderStore : IWitnessStore, IDisposable
{
    private readonly string _folder;
    private readonly FileStream _lock;

    /// <exception cref="InvalidOperationException">Another process has it, or it cannot be used.</exception>
    public FolderStore(string folder)
    {
        _folder = Path.GetFullPath(folder);
        try
        {
            Directory.CreateDirectory(_folder);
            _lock = new FileStream(Path.Combine(_folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"{_folder}: expected a folder for this witness alone: {e.Message}", e);
        }
    }

    public async Task<Remembered> LoadAsync(string origin, CancellationToken cancellation)
    {
        var (note, alarm) = (NoteFile(origin), AlarmFile(origin));
        SignedNote? accepted = null;
        WitnessAlarm? raised = null;
        if (File.Exists(note) && !SignedNote.TryParse(await File.ReadAllBytesAsync(note, cancellation), out accepted))
            throw new WitnessMemoryException($"{note}: expected a signed note, found something else");
        if (File.Exists(alarm) && !CheckpointMailbox.TryRead(await File.ReadAllTextAsync(alarm, cancellation), out raised))
            throw new WitnessMemoryException($"{alarm}: expected an alarm, found something else");
        return new Remembered(new WitnessMemory(accepted, raised), "");
    }

    public Task<bool> TrySaveAsync(string origin, Remembered before, WitnessMemory next, CancellationToken cancellation)
    {
        // The alarm first: evidence that is written twice is still evidence.
        if (next.Alarm is { } alarm && alarm != before.Memory.Alarm)
            DurableFile.Replace(AlarmFile(origin), Encoding.UTF8.GetBytes(CheckpointMailbox.Write(alarm)));
        if (next.Accepted is { } accepted && accepted != before.Memory.Accepted)
            DurableFile.Replace(NoteFile(origin), accepted.ToBytes());
        if (next.Alarm is null)
            File.Delete(AlarmFile(origin));
        return Task.FromResult(true);
    }

    public void Dispose() => _lock.Dispose();

    private string NoteFile(string origin) => Path.Combine(_folder, $"{NameOf(origin)}.note");

    private string AlarmFile(string origin) => Path.Combine(_folder, $"{NameOf(origin)}.alarm.json");

    /// <summary>Readable, and different for different logs.</summary>
    private static string NameOf(string origin) =>
        $"{Unreadable().Replace(origin, "_")[..Math.Min(origin.Length, 80)]}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(origin)))[..16]}";

    [GeneratedRegex("[^a-zA-Z0-9.-]")]
    private static partial Regex Unreadable();
}
