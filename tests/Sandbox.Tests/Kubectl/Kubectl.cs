using System.Diagnostics;

namespace Governor.Sandbox.Tests.Kubectl;

/// <summary>What a kubectl command said.</summary>
public sealed record KubectlResult(int ExitCode, string Output, string Error);

/// <summary>The real kubectl as a child process, with a kubeconfig and a cache of its own.</summary>
public sealed class Kubectl : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("governor-kubectl-");
    private readonly string _config;

    /// <summary>Set for every command, beside the test's own.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public Kubectl(string kubeconfig)
    {
        _config = Path.Combine(_home.FullName, "config");
        File.WriteAllText(_config, kubeconfig);
    }

    public async Task<KubectlResult> RunAsync(string arguments, string? input = null)
    {
        using var process = Start(arguments);
        await process.StandardInput.WriteAsync(input ?? "");
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(Limit);
        return new KubectlResult(process.ExitCode, (await output).Trim(), (await error).Trim());
    }

    /// <summary>Starts kubectl; the caller reads and kills.</summary>
    public Process Start(string arguments)
    {
        var start = new ProcessStartInfo("kubectl", $"--kubeconfig {_config} --cache-dir {_home.FullName}/cache {arguments}")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["HOME"] = _home.FullName;
        foreach (var (name, value) in Environment)
            start.Environment[name] = value;
        try
        {
            return Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException("kubectl is not on PATH: install it (Debian: apt-get install kubernetes-client) to run these tests", e);
        }
    }

    public void Dispose() => _home.Delete(true);
}
