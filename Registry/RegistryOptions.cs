using Microsoft.Extensions.Options;

namespace Governor.Registry;

/// <summary>How registries are reached and how much is accepted from them.</summary>
public sealed class RegistryOptions
{
    public const string Section = "Governor:Registry";

    /// <summary>
    /// Hosts, as <c>host</c> or <c>host:port</c>, that are spoken to over plain http. Loopback (<c>127.*</c>, <c>localhost</c>,
    /// <c>[::1]</c>) always is; everything else never is.
    /// </summary>
    public IList<string> InsecureHosts { get; init; } = [];

    /// <summary>A docker <c>config.json</c> with <c>auths</c>; read anew for every challenge, so that it may be rotated. Null: anonymous.</summary>
    public string? CredentialsFile { get; set; }

    /// <summary>For the answer's headers, of each attempt.</summary>
    public TimeSpan ResponseTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Without one byte while a body is read.</summary>
    public TimeSpan StallTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>For one body from its first byte to its last.</summary>
    public TimeSpan TransferTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Tries of one request that fails transiently, the first one counted; 1 to 10.</summary>
    public int Attempts { get; set; } = 4;

    /// <summary>Before the second attempt; doubles with each further one, with jitter. A server's Retry-After counts, up to 10 s.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromMilliseconds(200);

    public int MaxManifestBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>Of a layer as it is transferred, compressed.</summary>
    public int MaxLayerBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Of a layer's archive after decompression.</summary>
    public int MaxUnpackedBytes { get; set; } = 256 * 1024 * 1024;

    /// <summary>Entries of a layer's archive.</summary>
    public int MaxEntries { get; set; } = 1000;
}

/// <summary>Collects every problem of the options, each with its path and what to write instead.</summary>
internal sealed class RegistryOptionsValidator : IValidateOptions<RegistryOptions>
{
    public ValidateOptionsResult Validate(string? name, RegistryOptions options)
    {
        List<string> problems = [];
        Require(options.Attempts is >= 1 and <= 10, nameof(options.Attempts), "1 to 10", options.Attempts);
        Require(options.ResponseTimeout > TimeSpan.Zero, nameof(options.ResponseTimeout), "a positive time such as 00:00:30", options.ResponseTimeout);
        Require(options.StallTimeout > TimeSpan.Zero, nameof(options.StallTimeout), "a positive time such as 00:00:20", options.StallTimeout);
        Require(options.TransferTimeout > TimeSpan.Zero, nameof(options.TransferTimeout), "a positive time such as 00:05:00", options.TransferTimeout);
        Require(options.RetryDelay >= TimeSpan.Zero, nameof(options.RetryDelay), "a time such as 00:00:00.2", options.RetryDelay);
        Require(options.MaxManifestBytes > 0, nameof(options.MaxManifestBytes), "a positive number of bytes", options.MaxManifestBytes);
        Require(options.MaxLayerBytes > 0, nameof(options.MaxLayerBytes), "a positive number of bytes", options.MaxLayerBytes);
        Require(options.MaxUnpackedBytes > 0, nameof(options.MaxUnpackedBytes), "a positive number of bytes", options.MaxUnpackedBytes);
        Require(options.MaxEntries > 0, nameof(options.MaxEntries), "a positive number", options.MaxEntries);
        for (var i = 0; i < options.InsecureHosts.Count; i++)
            Require(
                options.InsecureHosts[i] is { Length: > 0 } host && !host.Contains('/', StringComparison.Ordinal),
                $"{nameof(options.InsecureHosts)}:{i}", "'host' or 'host:port'", options.InsecureHosts[i]);
        if (options.CredentialsFile is { } file)
            Require(File.Exists(file), nameof(options.CredentialsFile), "an existing docker config.json", file);
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);

        void Require(bool condition, string option, string expected, object? found)
        {
            if (!condition)
                problems.Add($"{RegistryOptions.Section}:{option}: expected {expected}, found '{found}'");
        }
    }
}
