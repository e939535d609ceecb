namespace Governor.Manifests;

/// <summary>Text that is not Kubernetes objects. The message says what, where (source, document, line), expected and found.</summary>
public sealed class ManifestException : Exception
{
    public ManifestException(string manifest, int document, long line, string problem, Exception? inner = null)
        : base($"{manifest}: document {document}, line {line}: {problem}", inner)
    {
        Manifest = manifest;
        Document = document;
        Line = line;
        Problem = problem;
    }

    /// <summary>Where the text came from: a file, an archive entry.</summary>
    public string Manifest { get; }

    /// <summary>Which document of the stream, from 1, the empty ones counted.</summary>
    public int Document { get; }

    /// <summary>From 1.</summary>
    public long Line { get; }

    /// <summary>Expected and found, without the place.</summary>
    public string Problem { get; }
}
