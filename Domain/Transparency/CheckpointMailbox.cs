using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Governor.Domain.Kinds;

namespace Governor.Domain.Transparency;

/// <summary>
/// How a log and a witness talk where there is no network path but a Kubernetes API between them. The log writes its newest checkpoint,
/// and the request about it, into one ConfigMap; the witness writes what it has accepted, or why it refused, into another one. Two
/// objects, because RBAC can keep the log from writing the second, and cannot keep it from writing a field of the first.
/// </summary>
public static class CheckpointMailbox
{
    /// <summary>Where both ConfigMaps are unless somebody says otherwise.</summary>
    public const string DefaultNamespace = "ont-system";

    /// <summary>The ConfigMap that the log writes.</summary>
    public const string PostedName = "governor-checkpoint";

    /// <summary>The ConfigMap that the witness writes.</summary>
    public const string AnswerName = "governor-checkpoint-witness";

    /// <summary>Key: the newest checkpoint, a signed note.</summary>
    public const string Checkpoint = "checkpoint";

    /// <summary>Key: the body of a C2SP add-checkpoint for it.</summary>
    public const string Request = "request";

    /// <summary>Key: the last checkpoint that the witness accepted, a note with the log's signatures and the witness' cosignature.</summary>
    public const string Accepted = "accepted";

    /// <summary>Key: the signature line of the witness alone, as add-checkpoint answers it.</summary>
    public const string Cosignature = "cosignature";

    /// <summary>Key: why the last request was refused, a <see cref="MailboxRefusal"/>; absent when it was not.</summary>
    public const string Refusal = "refusal";

    /// <summary>Key: what the log has to answer for, a <see cref="WitnessAlarm"/>; absent when there is nothing.</summary>
    public const string Alarm = "alarm";

    /// <summary>Key: the verifier key of the witness, for whoever wants to pin it. It proves nothing here.</summary>
    public const string Key = "key";

    // Notes are full of '+' and of the dash that begins a signature: they shall be readable, and nobody puts this into HTML.
    private static readonly JsonSerializerOptions Options =
        new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What the log applies.</summary>
    /// <param name="request">Null where nobody is asked.</param>
    public static KubeObject Post(string @namespace, string note, WitnessRequest? request)
    {
        var data = new JsonObject { [Checkpoint] = note };
        if (request is not null)
            data[Request] = request.ToString();
        return KubeObject.From(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "ConfigMap",
            ["metadata"] = new JsonObject { ["name"] = PostedName, ["namespace"] = @namespace },
            ["data"] = data,
        });
    }

    /// <summary>The text under a key of a ConfigMap; "" where there is none.</summary>
    public static string Text(KubeObject? map, string key) => map?.FindText("data", key) ?? "";

    /// <summary>Identity of a request's bytes.</summary>
    public static string DigestOf(string request) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(request)));

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    /// <summary>Reads what <see cref="Write"/> wrote; false for anything else.</summary>
    public static bool TryRead<T>(string text, [NotNullWhen(true)] out T? value)
        where T : class
    {
        value = null;
        try
        {
            value = text.Length == 0 ? null : JsonSerializer.Deserialize<T>(text, Options);
        }
        catch (JsonException)
        {
            // It is whatever somebody wrote there.
        }
        return value is not null;
    }
}

/// <summary>Why a witness did not accept what it was shown.</summary>
/// <param name="Request">Which request: <see cref="CheckpointMailbox.DigestOf"/>.</param>
/// <param name="Status">The status that add-checkpoint would have answered.</param>
/// <param name="Seen">The size of the last checkpoint that the witness accepted.</param>
public sealed record MailboxRefusal(string Request, int Status, string Why, long Seen);

/// <summary>What a log has to answer for. A new member is worse than the ones before it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WitnessAlarmKind>))]
public enum WitnessAlarmKind
{
    /// <summary>The log shows a smaller tree than it had shown before. Over when it goes on from what it had shown.</summary>
    RolledBack,

    /// <summary>The log shows a larger tree and no way there from what it had shown before.</summary>
    Unproved,

    /// <summary>The log has signed two roots for one size: nobody else can have made this.</summary>
    Forked,
}

/// <summary>The two signed notes that do not go together, for as long as a human has not taken them away.</summary>
/// <param name="Seen">The note that had been accepted; "" when nothing had.</param>
/// <param name="Shown">The note that was refused.</param>
public sealed record WitnessAlarm(WitnessAlarmKind Kind, DateTimeOffset At, string Seen, string Shown)
{
    /// <summary>What an answer to a request means about the log; null when it means nothing bad.</summary>
    /// <param name="seen">The last checkpoint that was accepted.</param>
    public static WitnessAlarmKind? KindOf(WitnessAnswer answer, Checkpoint? seen, Checkpoint shown) => answer switch
    {
        // What is not signed by the log says nothing about it.
        WitnessAnswer.Accepted or WitnessAnswer.UnknownLog or WitnessAnswer.NotSigned => null,
        WitnessAnswer.Forked => WitnessAlarmKind.Forked,
        _ when seen is null => null,
        _ when shown.Size == seen.Size => shown.Root == seen.Root ? null : WitnessAlarmKind.Forked,
        _ when shown.Size < seen.Size => WitnessAlarmKind.RolledBack,
        WitnessAnswer.NotProved => WitnessAlarmKind.Unproved,
        _ => null,
    };
}
