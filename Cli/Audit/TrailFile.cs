using System.IO.Pipelines;
using Governor.Domain.Audit;
using Governor.Domain.Transparency;

namespace Governor.Cli.Audit;

/// <summary>A file that is to be verified; what it is, is seen at its beginning.</summary>
internal sealed class TrailFile : IDisposable
{
    private TrailFile(string path, Stream content, bool isBundle)
    {
        Path = path;
        Content = content;
        IsBundle = isBundle;
    }

    public string Path { get; }

    /// <summary>From the first byte on.</summary>
    public Stream Content { get; }

    public bool IsBundle { get; }

    /// <param name="path">- for standard input.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static TrailFile Open(string path)
    {
        if (path == "-")
            return OpenInput(path);
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
        try
        {
            if (!file.CanSeek)
                return Piped(path, file);
            Span<byte> beginning = stackalloc byte[TlogProof.Format.Length];
            var read = file.ReadAtLeast(beginning, beginning.Length, throwOnEndOfStream: false);
            file.Position = 0;
            return new TrailFile(path, file, AuditBundle.IsBundle(beginning[..read]));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>All of it, or more than <paramref name="limit"/> bytes, which is too much.</summary>
    public byte[] ReadAll(int limit)
    {
        var buffer = new byte[limit + 1];
        return buffer[..Content.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false)];
    }

    public void Dispose() => Content.Dispose();

    private static TrailFile OpenInput(string path) => Piped(path, Console.OpenStandardInput());

    /// <summary>Of what cannot be read twice the beginning stays in a pipe.</summary>
    private static TrailFile Piped(string path, Stream stream)
    {
        var pipe = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 128 << 10));
        var beginning = pipe.ReadAtLeastAsync(TlogProof.Format.Length).AsTask().GetAwaiter().GetResult().Buffer;
        var first = beginning.FirstSpan;
        var isBundle = AuditBundle.IsBundle(first[..Math.Min(first.Length, TlogProof.Format.Length)]);
        pipe.AdvanceTo(beginning.Start);
        return new TrailFile(path, pipe.AsStream(), isBundle);
    }
}
