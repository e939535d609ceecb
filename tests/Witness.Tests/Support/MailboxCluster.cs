using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Kinds;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Manifests;
using Governor.Sandbox;
using Governor.Watchers;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Witness.Tests.Support;

/// <summary>A managed cluster as deploy/ sets it up: the mailbox, and who may write which half of it.</summary>
internal sealed class MailboxCluster : IAsyncDisposable
{
    private readonly List<ServiceProvider> _clients = [];

    private MailboxCluster(SandboxCluster sandbox, DirectoryInfo folder) => (Sandbox, Folder) = (sandbox, folder);

    public SandboxCluster Sandbox { get; }

    public DirectoryInfo Folder { get; }

    public ICluster Admin { get; private set; } = null!;

    /// <summary>The silo, with what deploy/rbac/witness.yaml gives it.</summary>
    public ICluster Silo { get; private set; } = null!;

    public string SiloKubeconfig => Sandbox.KubeconfigFor("governor", "governor-silos");

    public string WitnessKubeconfig => Sandbox.KubeconfigFor("system:serviceaccount:ont-system:governor-witness", "system:serviceaccounts", "system:authenticated");

    public static async Task<MailboxCluster> StartAsync(string name = "ccs-dev")
    {
        var cluster = new MailboxCluster(await SandboxCluster.StartAsync(new SandboxOptions(name)), Directory.CreateTempSubdirectory("governor-mailbox-"));
        cluster.Admin = cluster.Connect(cluster.Sandbox.Kubeconfig);
        foreach (var file in (string[])["witness/mailbox.yaml", "rbac/witness.yaml"])
            foreach (var item in ManifestReader.Read(await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, file)), file))
                await cluster.Admin.ApplyAsync(item, "human", default, CancellationToken.None);
        cluster.Silo = cluster.Connect(cluster.SiloKubeconfig);
        return cluster;
    }

    public ICluster Connect(string kubeconfig)
    {
        var file = Path.Combine(Folder.FullName, $"{Guid.NewGuid():n}.kubeconfig");
        File.WriteAllText(file, kubeconfig);
        var client = new ServiceCollection().AddKubernetes(options =>
        {
            options.ManagementName = Sandbox.Name;
            options.ManagementKubeconfig = file;
            options.MinBackoff = TimeSpan.FromMilliseconds(50);
        }).BuildServiceProvider();
        _clients.Add(client);
        return client.GetRequiredService<IClusters>().Management;
    }

    public Task<WitnessProcess> WitnessAsync(params VerifierKey[] logs) =>
        WitnessProcess.StartAsync(WitnessProcess.InMailbox(Folder.FullName, WitnessKubeconfig, logs));

    /// <summary>What the silo does.</summary>
    public Task PostAsync(WitnessRequest request) =>
        Silo.ApplyAsync(CheckpointMailbox.Post("ont-system", request.Note.ToString(), request), "governor-audit", new ApplyOptions(Force: true), CancellationToken.None);

    /// <summary>Waits until the answer is as it should be.</summary>
    public Task<KubeObject> AnswerAsync(string what, Func<KubeObject, bool> holds, Func<string>? context = null) =>
        Awaiting.MapAsync(Silo, CheckpointMailbox.AnswerName, what, holds, context);

    /// <summary>Posts and waits for the cosignature.</summary>
    public async Task<SignedNote> AcceptAsync(WitnessProcess witness, WitnessRequest request)
    {
        await PostAsync(request);
        var answer = await AnswerAsync(
            $"{request.Checkpoint.Size} leaves accepted",
            map => CheckpointMailbox.Text(map, CheckpointMailbox.Accepted).StartsWith(request.Note.Text, StringComparison.Ordinal), () => witness.Log);
        Assert.Equal("", CheckpointMailbox.Text(answer, CheckpointMailbox.Refusal));
        Assert.Equal(witness.Key.ToString(), CheckpointMailbox.Text(answer, CheckpointMailbox.Key));
        witness.Verified(request.Note, CheckpointMailbox.Text(answer, CheckpointMailbox.Cosignature));
        Assert.True(SignedNote.TryParse(CheckpointMailbox.Text(answer, CheckpointMailbox.Accepted), out var note));
        Assert.Equal(NoteVerdict.Good, note.Verify(witness.Key));
        return note;
    }

    /// <summary>Posts and waits for the refusal.</summary>
    public async Task<MailboxRefusal> RefuseAsync(WitnessProcess witness, WitnessRequest request)
    {
        await PostAsync(request);
        MailboxRefusal? refusal = null;
        await AnswerAsync(
            "a refusal",
            map => CheckpointMailbox.TryRead(CheckpointMailbox.Text(map, CheckpointMailbox.Refusal), out refusal)
                && refusal.Request == CheckpointMailbox.DigestOf(request.ToString()),
            () => witness.Log);
        return refusal!;
    }

    public async Task<WitnessAlarm?> AlarmAsync()
    {
        var map = await Silo.GetAsync(KnownKinds.ConfigMap, new ObjectKey("ont-system", CheckpointMailbox.AnswerName), CancellationToken.None);
        return CheckpointMailbox.TryRead<WitnessAlarm>(CheckpointMailbox.Text(map, CheckpointMailbox.Alarm), out var alarm) ? alarm : null;
    }

    public static KubeObject Map(string name, params (string Key, string Value)[] data) => KubeObject.From(new JsonObject
    {
        ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "ont-system" },
        ["data"] = new JsonObject(data.Select(d => KeyValuePair.Create(d.Key, (JsonNode?)d.Value))),
    });

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
            await client.DisposeAsync();
        await Sandbox.DisposeAsync();
        Folder.Delete(recursive: true);
    }
}
