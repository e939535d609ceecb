using System.Security.Cryptography;
using Governor.Domain.Signing;
using Governor.Domain.Transparency;

namespace Governor.Witness.Keys;

/// <summary>The witness' Ed25519 key: a file of 32 bytes that only its owner can read. Nobody else has it, least of all a log.</summary>
public sealed class WitnessKey : IDisposable
{
    private readonly byte[] _seed;

    private WitnessKey(string name, byte[] seed)
    {
        _seed = seed;
        Key = new VerifierKey(name, Ed25519.PublicKey(seed), NoteKeyType.Cosignature);
    }

    /// <summary>What the owners of logs pin.</summary>
    public VerifierKey Key { get; }

    /// <summary>Reads the key, or makes one where there is none.</summary>
    /// <exception cref="InvalidOperationException">The file is not a key, or others can read it.</exception>
    public static WitnessKey Open(string path, string name)
    {
        if (!File.Exists(path))
            Create(path);
        const UnixFileMode Others = UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) is not UnixFileMode.None and var mode)
            throw new InvalidOperationException($"{path}: expected a key that nobody else can read or change, found also {mode}; chmod 600, or make a new key if somebody may have read it");
        var seed = File.ReadAllBytes(path);
        if (seed.Length != Ed25519.SeedLength)
            throw new InvalidOperationException($"{path}: expected a witness key of {Ed25519.SeedLength} bytes, found {seed.Length}");
        return new WitnessKey(name, seed);
    }

    /// <summary>A cosignature (C2SP tlog-cosignature) on a checkpoint.</summary>
    public NoteSignature Cosign(string text, DateTimeOffset at) => Cosignature.Sign(text, Key, at, message => Ed25519.Sign(_seed, message.Span));

    public void Dispose() => CryptographicOperations.ZeroMemory(_seed);

    private static void Create(string path)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        // Whole under another name first: nobody ever reads half a key, and of two that are made together one wins.
        var draft = $"{path}.{Guid.NewGuid():n}";
        var seed = Ed25519.GenerateSeed();
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(draft, options))
        {
            file.Write(seed);
            file.Flush(flushToDisk: true);
        }
        CryptographicOperations.ZeroMemory(seed);
        try
        {
            File.Move(draft, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(draft);
        }
    }
}
