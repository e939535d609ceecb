using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Governor.Domain.Transparency;

namespace Governor.Domain.Audit;

/// <summary>The transition that an event explains, so that the state table can be checked against the trail.</summary>
/// <param name="Commit">The id of the commit; events of one transition share it.</param>
/// <param name="Subject">The grain's subject, as in the journal.</param>
/// <param name="Key">The grain's key.</param>
/// <param name="Version">The version that the transition produced; at least 1.</param>
/// <param name="State">SHA-256 of the state's bytes under that version.</param>
public sealed record AuditTransition(Guid Commit, string Subject, string Key, long Version, TreeHash State);

/// <summary>
/// One leaf of the log: an event, its place in its subject's chain, and the transition it belongs to. Stored, hashed and verified as
/// canonical bytes: version, domain, place in the chain, then the other fields in fixed order.
/// </summary>
/// <param name="Sequence">Dense within the subject's chain, from 1.</param>
/// <param name="Previous">Hash of the record before it in the chain; zero for the first.</param>
/// <param name="Event">Without values and rationale: these are in the payload.</param>
/// <param name="Payload">Commitment to the payload.</param>
public sealed record AuditRecord(AuditTransition Transition, long Sequence, TreeHash Previous, GovernanceEvent Event, TreeHash Payload)
{
    /// <summary>What an entry of a C2SP tlog-tiles bundle can hold: its length is a 16-bit number.</summary>
    public const int MaximumBytes = ushort.MaxValue;

    private static ReadOnlySpan<byte> Domain => "\u0001governor.audit.record\n"u8;

    /// <summary>The record's hash in its chain, and its leaf hash in the tree (RFC 6962 §2.1): they are the same.</summary>
    public static TreeHash HashOf(ReadOnlySpan<byte> record) => MerkleTree.HashLeaf(record);

    /// <exception cref="ArgumentException">Larger than <see cref="MaximumBytes"/>, or text that is not valid UTF-16.</exception>
    public byte[] Encode()
    {
        var output = new ArrayBufferWriter<byte>(768);
        var writer = new CanonicalWriter(output);
        writer.Raw(Domain);
        writer.Int64(Sequence);
        writer.Hash(Previous);
        writer.Id(Transition.Commit);
        writer.Text(Transition.Subject);
        writer.Text(Transition.Key);
        writer.Int64(Transition.Version);
        writer.Hash(Transition.State);
        WriteEvent(writer, Event);
        writer.Hash(Payload);
        if (output.WrittenCount > MaximumBytes)
            throw new ArgumentException($"the event '{Event.Action}' on {Event.Subject.Chain} takes {output.WrittenCount} bytes; at most {MaximumBytes} fit into a record");
        return output.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Puts an encoded record into its place in the chain. Only the journal's writer knows the place, everything else is encoded
    /// before, outside of it.
    /// </summary>
    public static void Place(Span<byte> record, long sequence, TreeHash previous)
    {
        BinaryPrimitives.WriteInt64BigEndian(record[Domain.Length..], sequence);
        previous.CopyTo(record[(Domain.Length + sizeof(long))..]);
    }

    /// <summary>Accepts exactly what <see cref="Encode"/> produces.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out AuditRecord? record, [NotNullWhen(false)] out string? fault)
    {
        var reader = new CanonicalReader(bytes);
        reader.Expect(Domain, "record");
        var (sequence, previous) = (reader.Int64("sequence", 1), reader.Hash("previous"));
        var transition = new AuditTransition(
            reader.Id("commit"), reader.Text("grain subject"), reader.Text("grain key"), reader.Int64("version", 1), reader.Hash("state"));
        record = new AuditRecord(transition, sequence, previous, ReadEvent(ref reader), reader.Hash("payload"));
        reader.End();
        fault = bytes.Length > MaximumBytes ? $"expected at most {MaximumBytes} bytes, found {bytes.Length}" : reader.Fault;
        if (fault is not null)
            record = null;
        return record is not null;
    }

    /// <summary>The event with the fields that the payload holds.</summary>
    public GovernanceEvent With(AuditPayload payload) =>
        Event with { PreviousValue = payload.PreviousValue, NewValue = payload.NewValue, Rationale = payload.Rationale };

    private static void WriteEvent(CanonicalWriter writer, GovernanceEvent e)
    {
        writer.Int64(e.At.UtcTicks);
        writer.Text(e.Actor);
        writer.Text(e.ActorRole);
        writer.Text(e.Subject.Group);
        writer.Text(e.Subject.Kind);
        writer.Text(e.Subject.Namespace);
        writer.Text(e.Subject.Name);
        writer.Text(e.Subject.Uid);
        writer.Int64(e.Subject.Generation);
        writer.Byte((byte)e.ChangeType);
        writer.Text(e.Action);
        writer.Text(e.Layer);
        writer.Text(e.FieldChanged);
        writer.Byte(e.RegulatoryImplication ? (byte)1 : (byte)0);
        writer.OptionalText(e.GitRef);
        writer.Text(e.Lineage);
        writer.Text(e.Cluster);
        writer.Text(e.Correlation);
        writer.OptionalText(e.Reviewer);
    }

    private static GovernanceEvent ReadEvent(ref CanonicalReader reader) => new(
        At: new DateTimeOffset(reader.Instant("at"), TimeSpan.Zero),
        Actor: reader.Text("actor"),
        ActorRole: reader.Text("actorRole"),
        Subject: new EventSubject(
            reader.Text("group"), reader.Text("kind"), reader.Text("namespace"), reader.Text("name"), reader.Text("uid"), reader.Int64("generation")),
        ChangeType: (ChangeType)reader.Byte("changeType", (byte)ChangeType.OperatorEvent),
        Action: reader.Text("action"),
        Layer: reader.Text("layer"),
        FieldChanged: reader.Text("fieldChanged"),
        PreviousValue: null,
        NewValue: null,
        Rationale: null,
        RegulatoryImplication: reader.Byte("regulatoryImplication", 1) == 1,
        GitRef: reader.OptionalText("gitRef"),
        Lineage: reader.Text("lineage"),
        Cluster: reader.Text("cluster"),
        Correlation: reader.Text("correlation"),
        Reviewer: reader.OptionalText("reviewer"));
}
