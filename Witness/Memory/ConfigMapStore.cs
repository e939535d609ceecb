using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Witness.Memory;

/// <summary>
/// Remembers in the ConfigMap that the witness answers in, of one log: every write says which state it replaces, so that of two
/// witnesses, or of two halves of one, only one goes on.
/// </summary>
public sealed class ConfigMapStore(WitnessConfigMap map, string origin) : IWitnessStore
{
    public async Task<Remembered> LoadAsync(string origin, CancellationToken cancellation)
    {
        Require(origin);
        var found = await map.ReadAsync(cancellation);
        var (text, alarm) = (CheckpointMailbox.Text(found, CheckpointMailbox.Accepted), CheckpointMailbox.Text(found, CheckpointMailbox.Alarm));
        SignedNote? accepted = null;
        WitnessAlarm? raised = null;
        if (text.Length > 0 && !SignedNote.TryParse(text, out accepted))
            throw new WitnessMemoryException($"{map}: data.{CheckpointMailbox.Accepted}: expected a signed note, found something else");
        if (alarm.Length > 0 && !CheckpointMailbox.TryRead(alarm, out raised))
            throw new WitnessMemoryException($"{map}: data.{CheckpointMailbox.Alarm}: expected an alarm, found something else");
        return new Remembered(new WitnessMemory(accepted, raised), found?.ResourceVersion ?? "");
    }

    public Task<bool> TrySaveAsync(string origin, Remembered before, WitnessMemory next, CancellationToken cancellation)
    {
        Require(origin);
        return map.TryWriteAsync(before.Version, map.Of(next, refusal: null), cancellation);
    }

    private void Require(string asked)
    {
        if (asked != origin)
            throw new InvalidOperationException($"{map}: remembers the log '{origin}', not '{asked}'");
    }
}

/// <summary>The ConfigMap that a witness writes: <see cref="CheckpointMailbox.AnswerName"/>.</summary>
public sealed class WitnessConfigMap(ICluster cluster, string @namespace, VerifierKey witness)
{
    /// <summary>Who writes it, in its managed fields.</summary>
    public const string FieldManager = "governor-witness";

    private static readonly string[] Keys =
        [CheckpointMailbox.Accepted, CheckpointMailbox.Cosignature, CheckpointMailbox.Refusal, CheckpointMailbox.Alarm, CheckpointMailbox.Key];

    private readonly ObjectKey _key = new(@namespace, CheckpointMailbox.AnswerName);

    public Task<KubeObject?> ReadAsync(CancellationToken cancellation) => cluster.GetAsync(KnownKinds.ConfigMap, _key, cancellation);

    /// <summary>What is to be written; a key that is absent is taken away.</summary>
    public IReadOnlyDictionary<string, string> Of(WitnessMemory memory, MailboxRefusal? refusal)
    {
        var data = new Dictionary<string, string> { [CheckpointMailbox.Key] = witness.ToString() };
        if (memory.Accepted is { } accepted)
        {
            data[CheckpointMailbox.Accepted] = accepted.ToString();
            data[CheckpointMailbox.Cosignature] = string.Concat(accepted.Signatures.Where(s => s.KeyId == witness.Id && s.Name == witness.Name));
        }
        if (memory.Alarm is { } alarm)
            data[CheckpointMailbox.Alarm] = CheckpointMailbox.Write(alarm);
        if (refusal is not null)
            data[CheckpointMailbox.Refusal] = CheckpointMailbox.Write(refusal);
        return data;
    }

    /// <summary>Whether an object says this already.</summary>
    public static bool Says(KubeObject? found, IReadOnlyDictionary<string, string> data) =>
        found is not null && Keys.All(key => CheckpointMailbox.Text(found, key) == data.GetValueOrDefault(key, ""));

    /// <param name="version">The resourceVersion that is replaced; "" where there was no object.</param>
    /// <returns>False when the object is another one by now.</returns>
    public async Task<bool> TryWriteAsync(string version, IReadOnlyDictionary<string, string> data, CancellationToken cancellation)
    {
        var texts = new JsonObject();
        foreach (var key in Keys)
            if (version.Length > 0 || data.ContainsKey(key))
                texts[key] = data.TryGetValue(key, out var text) ? JsonValue.Create(text) : null;
        var metadata = new JsonObject { ["name"] = _key.Name, ["namespace"] = _key.Namespace };
        var item = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = metadata, ["data"] = texts };
        try
        {
            if (version.Length == 0)
            {
                await cluster.CreateAsync(KubeObject.From(item), cancellation);
                return true;
            }
            metadata["resourceVersion"] = version;
            await cluster.MergePatchAsync(KnownKinds.ConfigMap, _key, item, FieldManager, cancellation);
            return true;
        }
        catch (KubernetesException e) when (e.Code == 409)
        {
            return false;
        }
    }

    public override string ToString() => $"cluster '{cluster.Name}': ConfigMap {_key}";
}
