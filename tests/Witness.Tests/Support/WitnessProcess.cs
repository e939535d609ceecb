using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Governor.Domain.Transparency;
using Governor.LocalServers;
using Governor.Witness.Keys;

namespace Governor.Witness.Tests.Support;

/// <summary>A witness as it is run: a process of its own, which can be killed.</summary>
internal sealed partial class WitnessProcess : IAsyncDisposable
{
    private readonly ChildProcess _process;
    private readonly StringBuilder _log;
    private readonly List<(string Text, TaskCompletionSource Said)> _awaited;

    private WitnessProcess(ChildProcess process, StringBuilder log, List<(string, TaskCompletionSource)> awaited, Uri? url, VerifierKey key)
    {
        (_process, _log, _awaited, Key) = (process, log, awaited, key);
        Http = new HttpClient { BaseAddress = url, Timeout = TimeSpan.FromSeconds(60) };
    }

    public HttpClient Http { get; }

    public VerifierKey Key { get; }

    public string Log
    {
        get
        {
            lock (_log)
                return _log.ToString();
        }
    }

    /// <summary>Settings of a witness that listens, and remembers in a folder.</summary>
    public static Dictionary<string, string?> InFolder(string folder, params VerifierKey[] logs) => new(Base(folder, logs))
    {
        ["Governor__Witness__Urls"] = "http://127.0.0.1:0",
        ["Governor__Witness__StateFolder"] = Path.Combine(folder, "state"),
    };

    /// <summary>Settings of a witness that answers in a cluster, and remembers there.</summary>
    public static Dictionary<string, string?> InMailbox(string folder, string kubeconfig, params VerifierKey[] logs)
    {
        var file = Path.Combine(folder, "witness.kubeconfig");
        File.WriteAllText(file, kubeconfig);
        return new(Base(folder, logs)) { ["Governor__Witness__Mailbox"] = "true", ["Governor__Witness__Kubeconfig"] = file };
    }

    public static async Task<WitnessProcess> StartAsync(Dictionary<string, string?> settings)
    {
        var log = new StringBuilder();
        var awaited = new List<(string Text, TaskCompletionSource Said)>();
        var listening = new TaskCompletionSource<Uri>(TaskCreationOptions.RunContinuationsAsynchronously);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var process = await ChildProcess.StartAsync("witness", "dotnet", [Program, "run"], settings, line =>
        {
            if (Listening().Match(line) is { Success: true } match)
                listening.TrySetResult(new Uri(match.Groups[1].Value));
            if (line.Contains("Application started", StringComparison.Ordinal))
                started.TrySetResult();
            lock (log)
            {
                log.AppendLine(line);
                foreach (var (_, said) in awaited.Where(a => line.Contains(a.Text, StringComparison.Ordinal)))
                    said.TrySetResult();
            }
        });
        var url = settings.ContainsKey("Governor__Witness__Urls") ? await Patient(listening.Task, process) : null;
        await Patient(started.Task.ContinueWith(_ => true, TaskScheduler.Default), process);
        using var key = WitnessKey.Open(settings["Governor__Witness__KeyFile"]!, settings["Governor__Witness__Name"]!);
        return new WitnessProcess(process, log, awaited, url, key.Key);
    }

    /// <summary>Runs the program until it ends by itself.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string verb, Dictionary<string, string?> settings)
    {
        await using var process = await ChildProcess.StartAsync("witness", "dotnet", [Program, verb], settings);
        await process.WaitForExitAsync(CancellationToken.None).WaitAsync(Awaiting.Patience);
        return (process.ExitCode, process.Tail);
    }

    public Task<(HttpStatusCode Status, string Type, string Body)> AddAsync(WitnessRequest request) => AddAsync(Encoding.UTF8.GetBytes(request.ToString()));

    public async Task<(HttpStatusCode Status, string Type, string Body)> AddAsync(byte[] body)
    {
        using var content = new ByteArrayContent(body);
        using var answer = await Http.PostAsync(new Uri("/add-checkpoint", UriKind.Relative), content);
        return (answer.StatusCode, answer.Content.Headers.ContentType?.ToString() ?? "", await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Adds, and expects a cosignature that verifies.</summary>
    public async Task<NoteSignature> AcceptAsync(WitnessRequest request)
    {
        var (status, _, body) = await AddAsync(request);
        Assert.True(status == HttpStatusCode.OK, $"{(int)status} {body}\n{Log}");
        return Verified(request.Note, body);
    }

    public NoteSignature Verified(SignedNote note, string lines)
    {
        Assert.True(SignedNote.TryParseSignatures(lines, out var signatures), lines);
        Assert.Equal(NoteVerdict.Good, note.With(signatures).Verify(Key));
        return Assert.Single(signatures);
    }

    public async Task RefuseAsync(WitnessRequest request, HttpStatusCode expected, long? seen = null)
    {
        var (status, type, body) = await AddAsync(request);
        Assert.Equal(expected, status);
        if (seen is null)
            return;
        Assert.Equal("text/x.tlog.size", type);
        Assert.Equal(string.Create(CultureInfo.InvariantCulture, $"{seen}\n"), body);
    }

    /// <summary>Completes when the witness has said something, also if it has already.</summary>
    public Task SaidAsync(string text)
    {
        var said = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_log)
        {
            _awaited.Add((text, said));
            if (_log.ToString().Contains(text, StringComparison.Ordinal))
                said.TrySetResult();
        }
        return Awaiting.DoneAsync(said.Task, $"the witness to say '{text}'", () => Log);
    }

    public Task KillAsync() => _process.KillAsync();

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _process.DisposeAsync();
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "governor-witness.dll");

    private static Dictionary<string, string?> Base(string folder, VerifierKey[] logs)
    {
        var settings = new Dictionary<string, string?>
        {
            ["Governor__Witness__Name"] = "witness.test/w1",
            ["Governor__Witness__KeyFile"] = Path.Combine(folder, "witness.key"),
        };
        for (var i = 0; i < logs.Length; i++)
            settings[$"Governor__Witness__Logs__{i}"] = logs[i].ToString();
        return settings;
    }

    private static async Task<T> Patient<T>(Task<T> task, ChildProcess process)
    {
        var ended = process.WaitForExitAsync(CancellationToken.None);
        if (await Task.WhenAny(task, ended).WaitAsync(Awaiting.Patience) == ended)
            throw new InvalidOperationException($"the witness ended while it was starting:\n{process.Tail}");
        return await task;
    }

    [GeneratedRegex(@"Now listening on: (\S+)")]
    private static partial Regex Listening();
}
