using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Kubeconfig;

/// <summary>One or several kubeconfigs read as one: of what two of them name, the earlier one counts.</summary>
internal sealed class KubeconfigFiles
{
    private readonly List<(KubeconfigNode Root, KubeconfigSource Source)> _files;

    /// <exception cref="KubeconfigException">One of them is none; says what, where, expected, found.</exception>
    public KubeconfigFiles(IReadOnlyList<(ReadOnlyMemory<byte> Bytes, KubeconfigSource Source)> files)
    {
        _files = [.. files.Select(file => (KubeconfigDocument.Parse(file.Bytes, file.Source.Where), file.Source))];
        foreach (var (root, _) in _files)
        {
            if (root["kind"].Text() is { } kind && kind != "Config")
                throw root["kind"].Unexpected("Config", $"'{kind}'");
            if (root["apiVersion"].Text() is { } version && version != "v1")
                throw root["apiVersion"].Unexpected("v1", $"'{version}'");
        }
    }

    public string CurrentContext() =>
        _files.Select(file => file.Root["current-context"].Text()).FirstOrDefault(text => text is not null)
        ?? _files[0].Root["current-context"].RequiredText("the name of a context");

    /// <summary>The entry with this name, and the file that it is in: paths in it are relative to that file.</summary>
    public (KubeconfigNode Node, KubeconfigSource Source) Named(string list, string name)
    {
        foreach (var (root, source) in _files)
            if (root[list].Named(name) is { } found)
                return (found, source);
        var names = _files.SelectMany(file => file.Root[list].Items()).Select(item => item["name"].RequiredText("a name")).Take(20).ToList();
        throw _files[0].Root[list].Unexpected($"an entry named '{name}'", names.Count == 0 ? "none at all" : $"only '{string.Join("', '", names)}'");
    }
}
