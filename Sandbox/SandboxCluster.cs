using System.Diagnostics.CodeAnalysis;
using System.Text;
using Governor.Sandbox.Api;
using Governor.Sandbox.Faults;
using Governor.Sandbox.Workloads;

namespace Governor.Sandbox;

/// <summary>
/// One Kubernetes API served from memory on 127.0.0.1: a test double with the real wire protocol. What works against it is meant to work
/// against kube-apiserver unchanged; it answers as version 1.26 does.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The token source has no timer and no wait handle: there is nothing to dispose of.")]
public sealed class SandboxCluster : IAsyncDisposable
{
    private readonly ClusterCore _core;
    private readonly ControllerLoop _controllers;
    private readonly ClusterListener _listener;
    private readonly CancellationTokenSource _ended = new();
    private TaskCompletionSource<Task> _wentAway = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SandboxCluster(ClusterCore core, ControllerLoop controllers, ClusterListener listener)
    {
        _core = core;
        _controllers = controllers;
        _listener = listener;
        core.Switchboard.Behave = SetBehaviour;
        core.Switchboard.GoAway = GoAwayForAsync;
        AdminToken = core.Tokens.IssueFor("admin", ["system:masters"]);
        Kubeconfig = Write("admin", AdminToken);
    }

    public string Name => _core.Options.Name;

    /// <summary>Where the API is served, without a trailing slash in its text form.</summary>
    public Uri Url => _listener.Url;

    /// <summary>A kubeconfig (YAML) with the administrator's token and the authority's certificate.</summary>
    public string Kubeconfig { get; }

    /// <summary>The token of user <c>admin</c>, group <c>system:masters</c>.</summary>
    public string AdminToken { get; }

    /// <summary>The PEM certificate that clients must trust; empty without TLS.</summary>
    public string CertificateAuthority => _core.Options.Tls ? ClusterCertificates.Authority : "";

    public SandboxFaults Faults => _core.Faults;

    /// <summary>Every successful mutating request over HTTP so far, dry runs excepted.</summary>
    public IReadOnlyList<SandboxWrite> Writes => _core.Writes.All;

    /// <summary>
    /// Requests over HTTP so far, by what was asked for: <c>get secrets</c>, <c>watch packs.example.dev</c>, <c>get /readyz</c>. Refused ones count.
    /// </summary>
    public IReadOnlyDictionary<string, long> Requests => _core.Requests.Snapshot();

    /// <summary>The newest resourceVersion of the store.</summary>
    public long ResourceVersion => _core.Store.Current.Version;

    /// <summary>Starts a cluster with its namespaces, default roles and controllers.</summary>
    public static Task<SandboxCluster> StartAsync(SandboxOptions options, CancellationToken ct = default) => StartAsync(options, null, ct);

    /// <summary>Starts a cluster that begins as another one is now.</summary>
    /// <param name="like">
    /// A cluster at rest: this one is as if restored from its backup, with the same objects under the same UIDs, and none of its history and
    /// tokens.
    /// </param>
    public static async Task<SandboxCluster> StartAsync(SandboxOptions options, SandboxCluster? like, CancellationToken ct = default)
    {
        var core = new ClusterCore(options, like?._core);
        var controllers = new ControllerLoop(core);
        if (like is null)
            await Bootstrap.FillAsync(core);
        controllers.Start();
        await controllers.IdleAsync(ct);
        core.Store.Expire();
        var listener = await ClusterListener.StartAsync(options, new ApiHandler(core), ct);
        return new SandboxCluster(core, controllers, listener);
    }

    /// <summary>A kubeconfig for a user with no rights but those that roles give him or his groups.</summary>
    public string KubeconfigFor(string user, params string[] groups) => Write(user, TokenFor(user, groups));

    /// <summary>A bearer token for a user, valid as long as the cluster.</summary>
    public string TokenFor(string user, params string[] groups) => _core.Tokens.IssueFor(user, groups);

    /// <summary>Completes when the controllers (garbage collection, workloads, namespaces, definitions) have nothing left to do.</summary>
    public Task IdleAsync(CancellationToken ct = default) => _controllers.IdleAsync(ct);

    /// <summary>What workloads do from now on, those that exist included; overridden by the annotation on the single object.</summary>
    public void SetBehaviour(WorkloadBehaviour behaviour) => _controllers.Behaviour = behaviour;

    /// <summary>
    /// Stops listening: connections break and new ones are refused, until <see cref="ComeBackAsync"/> or for good. State and port are kept.
    /// </summary>
    public Task GoAwayAsync() => _listener.StopAsync();

    /// <summary>Listens again on the same port. Histories start anew, as after a restart of the API server.</summary>
    public Task ComeBackAsync(CancellationToken ct = default)
    {
        _core.Store.Expire();
        return _listener.ResumeAsync(ct);
    }

    private async Task GoAwayForAsync(TimeSpan? length)
    {
        await GoAwayAsync();
        var back = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Interlocked.Exchange(ref _wentAway, new(TaskCreationOptions.RunContinuationsAsynchronously)).SetResult(back.Task);
        if (length is not { } away)
            return;
        try
        {
            await Task.Delay(away, _core.Options.Clock ?? TimeProvider.System, _ended.Token);
            await ComeBackAsync(_ended.Token);
            back.SetResult();
        }
        catch (OperationCanceledException)
        {
            back.SetCanceled(); // the cluster has come to its end meanwhile
        }
    }

    /// <summary>Completes when a switch takes the cluster away the next time; what it brings completes when the cluster is back.</summary>
    public Task<Task> WentAway => Volatile.Read(ref _wentAway).Task;

    public async ValueTask DisposeAsync()
    {
        if (_ended.IsCancellationRequested)
            return;
        await _ended.CancelAsync();
        await _listener.StopAsync();
        await _controllers.DisposeAsync();
        _core.Dispose();
    }

    private string Write(string user, string token)
    {
        var server = Url.GetLeftPart(UriPartial.Authority);
        var authority = Convert.ToBase64String(Encoding.ASCII.GetBytes(CertificateAuthority));
        return $$"""
            apiVersion: v1
            kind: Config
            current-context: {{Name}}
            clusters:
            - name: {{Name}}
              cluster: { server: "{{server}}"{{(authority.Length > 0 ? $", certificate-authority-data: {authority}" : "")}} }
            contexts:
            - name: {{Name}}
              context: { cluster: "{{Name}}", user: "{{user}}" }
            users:
            - name: {{user}}
              user: { token: {{token}} }

            """;
    }
}
