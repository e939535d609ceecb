using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Governor.Tour.Tests.Support;

namespace Governor.Tour.Tests;

/// <summary>The tour as a person starts it: a process of its own.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task Once_with_json_prints_one_document_and_leaves_nothing_behind()
    {
        await using var tour = TourProcess.Start("--once", "--json");
        var tree = await tour.TreeAtAsync("verifying what stands on the tenant");
        Assert.True(tree.Processes.Count >= 5, $"expected the tour, PostgreSQL, the registry, the silo and a witness, found {tree.Processes.Count} processes");
        Assert.True(tree.ListeningPortsByInode.Count >= 5, $"expected the ports of PostgreSQL, the registry, two clusters and the silo, found {tree.ListeningPortsByInode.Count}");
        await tour.EndedAsync();
        Assert.True(tour.ExitCode == 0, tour.Everything);
        await CheckNothingLeftAsync(tour, tree);

        using var document = JsonDocument.Parse(tour.Output);
        Assert.Equal(["host", "elapsedMs", "pack", "gates", "packInstance", "lineage", "audit"], Names(document.RootElement));
        var gates = document.RootElement.GetProperty("gates");
        Assert.Equal(7, gates.GetArrayLength());
        Assert.All(gates.EnumerateArray(), gate =>
        {
            Assert.Equal(["gate", "name", "blockedReason", "clearedAfterMs", "evidence"], Names(gate));
            Assert.NotEmpty(gate.GetProperty("blockedReason").GetString()!);
        });
        Assert.Equal(["name", "ready", "deployedResources"], Names(document.RootElement.GetProperty("packInstance")));
        Assert.True(document.RootElement.GetProperty("packInstance").GetProperty("ready").GetBoolean());
        Assert.Equal(["index", "descendants"], Names(document.RootElement.GetProperty("lineage")));
        Assert.Equal(["events", "treeSize", "verified", "witnesses"], Names(document.RootElement.GetProperty("audit")));
        var witness = Assert.Single(document.RootElement.GetProperty("audit").GetProperty("witnesses").EnumerateArray());
        Assert.Equal(["key", "cluster", "treeSize", "at", "verified"], Names(witness));
        Assert.True(witness.GetProperty("verified").GetBoolean());
        Assert.True(document.RootElement.GetProperty("audit").GetProperty("verified").GetBoolean());
    }

    [Fact]
    public async Task Interrupting_the_tour_that_stays_up_ends_everything()
    {
        await using var tour = TourProcess.Start();
        var tree = await tour.TreeAtAsync("Ctrl-C ends everything.");
        var kubeconfig = Path.Combine(tour.Folder, "ccs-mgmt.kubeconfig");
        var listed = await Tool.RunAsync("kubectl", "--kubeconfig", kubeconfig, "get", "packinstances", "-A");
        Assert.True(listed.ExitCode == 0, listed.ToString());
        await tour.SignalAsync("INT");
        await tour.EndedAsync();
        Assert.True(tour.ExitCode == 0, tour.Everything);
        await CheckNothingLeftAsync(tour, tree);
    }

    [Fact]
    public async Task Sandbox_clusters_alone_are_reached_by_kubectl_and_end_with_the_interrupt()
    {
        await using var tour = TourProcess.Start("--sandbox", "one", "two");
        var tree = await tour.TreeAtAsync("Ctrl-C ends everything.");
        Assert.Single(tree.Processes);
        foreach (var name in (string[])["one", "two"])
        {
            var listed = await Tool.RunAsync("kubectl", "--kubeconfig", Path.Combine(tour.Folder, $"{name}.kubeconfig"), "get", "namespaces", "-o", "name");
            Assert.True(listed.ExitCode == 0, listed.ToString());
        }
        await tour.SignalAsync("INT");
        await tour.EndedAsync();
        Assert.True(tour.ExitCode == 0, tour.Everything);
        await CheckNothingLeftAsync(tour, tree);
    }

    [Fact]
    public async Task A_name_that_is_none_for_a_sandbox_is_refused()
    {
        await using var tour = TourProcess.Start("--sandbox", "../odd");
        await tour.EndedAsync();
        Assert.Equal(2, tour.ExitCode);
        Assert.Contains("found '../odd'", tour.Everything, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Killing_the_tour_leaves_no_server_behind()
    {
        await using var tour = TourProcess.Start();
        var tree = await tour.TreeAtAsync("Ctrl-C ends everything.");
        await tour.SignalAsync("KILL");
        await CheckNothingLeftAsync(tour, tree);
    }

    private static IEnumerable<string> Names(JsonElement element) => element.EnumerateObject().Select(p => p.Name);

    private static async Task CheckNothingLeftAsync(TourProcess tour, ProcessTree tree)
    {
        await tree.EndedAsync();
        Assert.Empty(tree.OpenPorts());
        Assert.Empty(ProcessTree.Mentioning(tour.Folder));
    }

    private sealed class TourProcess : IAsyncDisposable
    {
        private readonly Process _process;
        private readonly StringBuilder _output = new();
        private readonly StringBuilder _error = new();
        private readonly List<(string Text, TaskCompletionSource<ProcessTree> Seen)> _awaited = [];

        private TourProcess(string folder, Process process)
        {
            Folder = folder;
            _process = process;
        }

        public string Folder { get; }

        public int ExitCode => _process.ExitCode;

        public string Output => Locked(() => _output.ToString());

        public string Everything => Locked(() => $"exit code {(_process.HasExited ? _process.ExitCode : "none yet")}\n{_output}\n{_error}");

        public static TourProcess Start(params string[] arguments)
        {
            var folder = Directory.CreateTempSubdirectory("governor-tour-process-").FullName;
            // A shell that runs a command in the background has it ignore SIGINT, and everything below inherits that.
            string[] all = ["--default-signal=INT", "dotnet", Path.Combine(AppContext.BaseDirectory, "Governor.Tour.dll"), "--folder", folder, .. arguments];
            var tour = new TourProcess(folder, new Process
            {
                StartInfo = new ProcessStartInfo("env", all) { RedirectStandardOutput = true, RedirectStandardError = true },
            });
            tour._process.OutputDataReceived += (_, e) => tour.Receive(tour._output, e.Data);
            tour._process.ErrorDataReceived += (_, e) => tour.Receive(tour._error, e.Data);
            tour._process.Start();
            tour._process.BeginOutputReadLine();
            tour._process.BeginErrorReadLine();
            return tour;
        }

        /// <summary>What runs at the moment when the tour says something.</summary>
        public async Task<ProcessTree> TreeAtAsync(string text)
        {
            var seen = new TaskCompletionSource<ProcessTree>(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_awaited)
                _awaited.Add((text, seen));
            if (Everything.Contains(text, StringComparison.Ordinal))
                seen.TrySetResult(ProcessTree.Of(_process.Id));
            var ended = _process.WaitForExitAsync();
            await Awaiting.DoneAsync(Task.WhenAny(seen.Task, ended), $"'{text}'", () => Everything);
            Assert.True(seen.Task.IsCompleted, $"the tour ended before it said '{text}': {Everything}");
            return await seen.Task;
        }

        public async Task SignalAsync(string signal) =>
            Assert.Equal(0, (await Tool.RunAsync("kill", "-s", signal, $"{_process.Id}")).ExitCode);

        public Task EndedAsync() => Awaiting.DoneAsync(_process.WaitForExitAsync(), "the end of the tour", () => Everything);

        public async ValueTask DisposeAsync()
        {
            if (!_process.HasExited)
                _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
            Directory.Delete(Folder, recursive: true);
        }

        private void Receive(StringBuilder into, string? line)
        {
            if (line is null)
                return;
            lock (_awaited)
            {
                into.AppendLine(line);
                foreach (var (_, seen) in _awaited.Where(a => line.Contains(a.Text, StringComparison.Ordinal)))
                    seen.TrySetResult(ProcessTree.Of(_process.Id));
            }
        }

        private string Locked(Func<string> read)
        {
            lock (_awaited)
                return read();
        }
    }
}
