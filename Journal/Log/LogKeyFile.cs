using System.Security.Cryptography;
using Governor.Domain.Signing;
using Governor.Domain.Transparency;

namespace Governor.Journal.Log;

/// <summary>A key of the log in a file of 32 bytes that only its owner can read.</summary>
public sealed class LogKeyFile : IDisposable
{
    private readonly byte[] _seed;

    private LogKeyFile(string path, string origin, byte[] seed)
    {
        _seed = seed;
        Path = path;
        Key = new VerifierKey(origin, Ed25519.PublicKey(seed));
    }

    public string Path { get; }

    public VerifierKey Key { get; }

    /// <summary>Reads the key, or makes one where there is none.</summary>
    /// <exception cref="InvalidOperationException">The file is not a key.</exception>
    public static LogKeyFile Open(string path, string origin)
    {
        if (!File.Exists(path))
            Create(path, Ed25519.GenerateSeed());
        return Read(path, origin);
    }

    /// <exception cref="InvalidOperationException">The file is not a key.</exception>
    internal static LogKeyFile Read(string path, string origin)
    {
        var seed = File.ReadAllBytes(path);
        if (seed.Length != Ed25519.SeedLength)
            throw new InvalidOperationException($"{path}: expected a log key of {Ed25519.SeedLength} bytes, found {seed.Length}");
        return new LogKeyFile(path, origin, seed);
    }

    /// <summary>Makes a key, in a file whose name is told by its public half.</summary>
    internal static LogKeyFile Make(Func<VerifierKey, string> place, string origin)
    {
        var seed = Ed25519.GenerateSeed();
        var path = place(new VerifierKey(origin, Ed25519.PublicKey(seed)));
        Create(path, seed);
        return Read(path, origin);
    }

    public byte[] Sign(ReadOnlyMemory<byte> message) => Ed25519.Sign(_seed, message.Span);

    public void Dispose() => CryptographicOperations.ZeroMemory(_seed);

    private static void Create(string path, byte[] seed)
    {
        if (System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)) is { } folder)
            Directory.CreateDirectory(folder);
        // Whole under another name first: nobody ever reads half a key, and of two silos that start together one key wins.
        var draft = $"{path}.{Guid.NewGuid():n}";
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
