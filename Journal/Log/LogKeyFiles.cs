using System.Collections.Concurrent;
using System.Globalization;
using Governor.Domain.Transparency;
using Microsoft.Extensions.Options;

namespace Governor.Journal.Log;

/// <summary>
/// The keys of the log in files: the one that is configured, and beside it the further ones, with their ids behind its name. A file
/// that is brought while the silo runs is found when it is asked for.
/// </summary>
public sealed class LogKeyFiles : ILogSigner, IDisposable
{
    private readonly ConcurrentDictionary<uint, LogKeyFile> _opened = new();
    private readonly string _path;
    private readonly string _origin;

    public LogKeyFiles(IOptions<JournalOptions> options)
    {
        (_path, _origin) = (options.Value.LogKeyFile, options.Value.Origin);
        var first = LogKeyFile.Open(_path, _origin);
        First = first.Key;
        _opened[first.Key.Id] = first;
    }

    public VerifierKey First { get; }

    public bool Holds(VerifierKey key) => FileOf(key) is not null;

    public VerifierKey? Find(uint keyId) => FileOf(keyId)?.Key;

    public string PlaceOf(VerifierKey key) => PlaceOf(key.Id);

    public byte[] Sign(VerifierKey key, ReadOnlyMemory<byte> message) =>
        (FileOf(key) ?? throw new InvalidOperationException($"the log key {key} is not held: expected it in {PlaceOf(key)}")).Sign(message);

    public VerifierKey Make()
    {
        var made = LogKeyFile.Make(PlaceOf, _origin);
        _opened[made.Key.Id] = made;
        return made.Key;
    }

    public void Discard(VerifierKey key)
    {
        if (key.Equals(First) || !_opened.TryRemove(key.Id, out var file))
            return;
        file.Dispose();
        File.Delete(file.Path);
    }

    public void Dispose()
    {
        foreach (var file in _opened.Values)
            file.Dispose();
    }

    private string PlaceOf(uint keyId) => string.Create(CultureInfo.InvariantCulture, $"{_path}.{keyId:x8}");

    // The id is a hint of four bytes: the key itself decides.
    private LogKeyFile? FileOf(VerifierKey key) => FileOf(key.Id) is { } file && file.Key.Equals(key) ? file : null;

    private LogKeyFile? FileOf(uint keyId)
    {
        if (_opened.TryGetValue(keyId, out var opened))
            return opened;
        var path = PlaceOf(keyId);
        if (!File.Exists(path))
            return null;
        var file = LogKeyFile.Read(path, _origin);
        if (file.Key.Id != keyId)
        {
            file.Dispose();
            throw new InvalidOperationException($"{path}: expected the key with the id {keyId:x8}, found {file.Key}");
        }
        var kept = _opened.GetOrAdd(keyId, file);
        if (kept != file)
            file.Dispose();
        return kept;
    }
}
