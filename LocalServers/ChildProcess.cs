using System.Diagnostics;
using System.Globalization;

namespace Governor.LocalServers;

/// <summary>
/// A server that we start and that must not outlive us: it runs under a small shell that ends it when our end of a pipe closes,
/// however we go (return, exception, SIGKILL). Both have a session of their own: a Ctrl-C at our terminal is for us alone, and we end
/// them in order.
/// </summary>
public sealed class ChildProcess : IAsyncDisposable
{
    // $1 = signal that asks the program to stop; the rest is the program. Prints the program's pid, then waits for whichever comes
    // first: the program's end, or the end of our standard input. Nobody may be left to use force by then, so it does that, too.
    private const string Guardian = """
        signal=$1; shift
        "$@" </dev/null 2>&1 &
        program=$!
        echo "pid $program" >&2
        (
          while read -r _; do :; done
          kill -s "$signal" "$program"
          for (( i = 0; i < 150; i++ )); do kill -0 "$program" || exit 0; sleep 0.1; done
          kill -s KILL "$program"
        ) <&0 >/dev/null 2>&1 &
        watcher=$!
        wait "$program"
        code=$?
        kill "$watcher" 2>/dev/null
        exit "$code"
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly Process _shell;
    private readonly Queue<string> _tail = new();
    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _running = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Process? _program;

    private ChildProcess(Process shell, string name)
    {
        _shell = shell;
        Name = name;
    }

    public string Name { get; }

    /// <summary>The process id of the program itself, not of the shell around it.</summary>
    public int Id { get; private set; }

    public bool HasExited => _shell.HasExited;

    public int ExitCode => _shell.ExitCode;

    /// <summary>The last lines that the program wrote.</summary>
    public string Tail
    {
        get
        {
            lock (_lock)
                return string.Join('\n', _tail);
        }
    }

    /// <param name="onLine">Sees every line of the program's output.</param>
    /// <param name="stopSignal">What asks it to stop: <c>TERM</c>, or <c>INT</c> for PostgreSQL's fast shutdown.</param>
    public static async Task<ChildProcess> StartAsync(
        string name, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string?>? environment = null,
        Action<string>? onLine = null, string stopSignal = "TERM", CancellationToken cancellation = default)
    {
        var start = new ProcessStartInfo("setsid")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var argument in (string[])["/bin/bash", "-c", Guardian, name, stopSignal, program, .. arguments])
            start.ArgumentList.Add(argument);
        foreach (var (key, value) in environment ?? new Dictionary<string, string?>())
            start.Environment[key] = value;

        var child = new ChildProcess(new Process { StartInfo = start }, name);
        child._shell.OutputDataReceived += (_, e) => child.Receive(e.Data, onLine);
        child._shell.ErrorDataReceived += (_, e) => child.ReceivePid(e.Data);
        child._shell.Start();
        child._shell.BeginOutputReadLine();
        child._shell.BeginErrorReadLine();
        try
        {
            await child._running.Task.WaitAsync(cancellation).ConfigureAwait(false);
            return child;
        }
        catch
        {
            await child.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Sends SIGKILL to the program: what a crash or the kernel's out-of-memory killer does.</summary>
    public async Task KillAsync()
    {
        _program?.Kill();
        await EndAsync(CancellationToken.None).ConfigureAwait(false);
    }

    public Task WaitForExitAsync(CancellationToken cancellation) => _shell.WaitForExitAsync(cancellation);

    /// <summary>Asks the program to stop, and ends it by force when it has not within 15 seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        _shell.StandardInput.Close();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await EndAsync(patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            await KillAsync().ConfigureAwait(false);
        }
        _program?.Dispose();
        _shell.Dispose();
    }

    // The shell waits for the program; but who ends the shell has not ended the program.
    private async Task EndAsync(CancellationToken cancellation)
    {
        await _shell.WaitForExitAsync(cancellation).ConfigureAwait(false);
        if (_program is not null)
            await _program.WaitForExitAsync(cancellation).ConfigureAwait(false);
    }

    private void Receive(string? line, Action<string>? onLine)
    {
        if (line is null)
            return;
        lock (_lock)
        {
            _tail.Enqueue(line);
            if (_tail.Count > 40)
                _tail.Dequeue();
        }
        onLine?.Invoke(line);
    }

    private void ReceivePid(string? line)
    {
        if (line is not null && line.StartsWith("pid ", StringComparison.Ordinal))
        {
            Id = int.Parse(line.AsSpan(4), CultureInfo.InvariantCulture);
            try
            {
                _program = Process.GetProcessById(Id);
            }
            catch (ArgumentException)
            {
                // It has ended already.
            }
            _running.TrySetResult();
        }
        else if (line is null)
        {
            _running.TrySetException(new InvalidOperationException($"{Name} could not be started: {Tail}"));
        }
    }
}
