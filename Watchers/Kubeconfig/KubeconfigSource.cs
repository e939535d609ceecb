using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Kubeconfig;

/// <summary>Where a kubeconfig came from, which decides what it may ask of this machine.</summary>
internal abstract record KubeconfigSource(string Where)
{
    /// <summary>
    /// Turns a file path of the kubeconfig into one that may be read.
    /// </summary>
    /// <exception cref="KubeconfigException">This source may not refer to files.</exception>
    public abstract string ResolveFile(KubeconfigNode field, string path);

    /// <exception cref="KubeconfigException">This source may not start programs.</exception>
    public abstract string ResolveCommand(KubeconfigNode field, string command);

    /// <summary>A file that the operator of this process named.</summary>
    public sealed record OperatorFile(string Path) : KubeconfigSource($"kubeconfig '{Path}'")
    {
        private string Directory => System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!;

        public override string ResolveFile(KubeconfigNode field, string path) => System.IO.Path.Combine(Directory, path);

        // As kubectl: a bare name is looked up in PATH, a path is relative to the kubeconfig.
        public override string ResolveCommand(KubeconfigNode field, string command) =>
            command.Contains('/', StringComparison.Ordinal) ? System.IO.Path.Combine(Directory, command) : command;
    }

    /// <summary>A tenant's Secret. Whoever writes it must not read files of this process or start programs in it.</summary>
    public sealed record TenantSecret(string Cluster) : KubeconfigSource($"kubeconfig of cluster '{Cluster}'")
    {
        public override string ResolveFile(KubeconfigNode field, string path) =>
            throw field.Unexpected("inline data (a kubeconfig from a Secret may not refer to files of this process)", "a file path");

        public override string ResolveCommand(KubeconfigNode field, string command) =>
            throw field.Unexpected("a token or a client certificate (a kubeconfig from a Secret may not start programs)", "an exec plugin");
    }
}
