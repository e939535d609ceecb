using System.Text.Json.Nodes;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using static Governor.Domain.Tests.Permissions.EffectivePermissionTests;
using static Governor.Domain.Tests.Permissions.SmallUniverse;

namespace Governor.Domain.Tests.Permissions;

public sealed class SnapshotVerificationTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private static readonly ClusterName Management = new("ccs-mgmt");
    private static readonly SigningKey Key = SigningKey.Generate();
    private static readonly ConductorFact Ready = new(Cluster, ConductorReadiness.Ready, "ConductorReady", "", "", 17, 17, "api-1");

    [Fact]
    public void What_was_signed_for_this_cluster_is_acknowledged()
    {
        var genuine = Assert.IsType<SnapshotVerdict.Genuine>(Judge(Published(Noon), null, Noon.AddMinutes(1)));

        Assert.Equal((Noon, Noon.AddHours(1), Key.VerifyingKey.KeyId, Noon.AddMinutes(1)), (genuine.Acknowledgement.Timestamp, genuine.Acknowledgement.FreshUntil, genuine.Acknowledgement.KeyId, genuine.Acknowledgement.AcknowledgedAt));
    }

    [Theory]
    [InlineData("spec.principalPermissions.0.allowedOperations.0.verbs", """["get", "list", "delete"]""", "SnapshotSignatureInvalid", "spec.version")]
    [InlineData("spec.version", "\"sha256:0\"", "SnapshotSignatureInvalid", "spec.version")]
    [InlineData("spec.freshnessWindowSeconds", "360000", "SnapshotSignatureInvalid", "the content was changed")]
    [InlineData("spec.snapshotTimestamp", "\"2027-03-01T12:00:00Z\"", "SnapshotSignatureInvalid", "the content was changed")]
    [InlineData("spec.targetCluster", "\"other\"", "SnapshotSignatureInvalid", "expected 'ccs-dev', found 'other'")]
    [InlineData("spec.subjects", "[]", "SnapshotSignatureInvalid", "the content was changed")]
    [InlineData("metadata.annotations", null, "SnapshotUnsigned", "found none")]
    [InlineData("spec.snapshotTimestamp", "\"soon\"", "SnapshotSignatureInvalid", "the content was changed")]
    public void What_was_tampered_with_is_not_and_everything_that_is_wrong_is_listed(string path, string? json, string reason, string message)
    {
        var changed = Published(Noon).ToJsonObject().With(path, json);

        var refused = Assert.IsType<SnapshotVerdict.Refused>(Judge(KubeObject.From(changed), null, Noon));

        Assert.Equal(reason, refused.Reason);
        Assert.Contains(message, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_cluster_s_snapshot_is_refused_although_its_signature_is_ours()
    {
        var others = Published(Noon, cluster: new ClusterName("other"));

        Assert.Equal(SnapshotVerification.OtherCluster, Assert.IsType<SnapshotVerdict.Refused>(Judge(others, null, Noon)).Reason);
    }

    [Fact]
    public void A_pack_s_signature_does_not_pass_for_a_snapshot_s()
    {
        var snapshot = Published(Noon).ToJsonObject();
        snapshot["metadata"]!["annotations"]![SignaturePurpose.PermissionSnapshot.Annotation] = PackSignature.Sign(KubeObject.From(snapshot), Key);

        Assert.Equal(SnapshotVerification.SignatureInvalid, Assert.IsType<SnapshotVerdict.Refused>(Judge(KubeObject.From(snapshot), null, Noon)).Reason);
    }

    [Fact]
    public void An_older_one_is_refused_after_a_newer_and_the_same_again_is_not()
    {
        var acknowledged = Assert.IsType<SnapshotVerdict.Genuine>(Judge(Published(Noon.AddMinutes(5)), null, Noon.AddMinutes(5))).Acknowledgement;

        Assert.Equal(SnapshotVerification.Replayed, Assert.IsType<SnapshotVerdict.Refused>(Judge(Published(Noon), acknowledged, Noon.AddMinutes(6))).Reason);
        Assert.Equal(SnapshotVerification.Replayed, Assert.IsType<SnapshotVerdict.Refused>(Judge(Published(Noon.AddMinutes(5).AddMicroseconds(-1)), acknowledged, Noon.AddMinutes(6))).Reason);
        Assert.IsType<SnapshotVerdict.Genuine>(Judge(Published(Noon.AddMinutes(5)), acknowledged, Noon.AddMinutes(6)));
    }

    [Fact]
    public void A_stale_one_is_refused_whoever_signed_it() =>
        Assert.Equal(SnapshotVerification.Stale, Assert.IsType<SnapshotVerdict.Refused>(Judge(Published(Noon), null, Noon.AddSeconds(3601))).Reason);

    [Fact]
    public void A_key_that_was_revoked_vouches_for_nothing()
    {
        var secret = KubeObject.From(new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Secret",
            ["metadata"] = new JsonObject { ["name"] = "k", ["annotations"] = new JsonObject
            {
                [SigningKeyRules.RevokedPrefix + Key.VerifyingKey.KeyId[..20].ToUpperInvariant()] = "ann: stolen",
                [SigningKeyRules.RevokedPrefix + "short"] = "names no key",
            } },
        });
        var other = SigningKey.Generate().VerifyingKey;
        var state = SigningKeyRules.Decide(SigningKeyState.Initial, new SigningKeyInput.Found(Key.VerifyingKey.KeyId, Key.VerifyingKey.ToPem(), "u"), Noon).State;

        state = SigningKeyRules.Decide(state, new SigningKeyInput.Found(other.KeyId, other.ToPem(), "u", SigningKeyRules.RevokedBy(secret)), Noon).State;
        AssertRevoked(state);

        // Neither taking the annotation away nor the key itself brings it back.
        state = SigningKeyRules.Decide(state, new SigningKeyInput.Found(Key.VerifyingKey.KeyId, Key.VerifyingKey.ToPem(), "u"), Noon).State;
        AssertRevoked(state);
        Assert.Equal("", state.KeyId);

        static void AssertRevoked(SigningKeyState state)
        {
            Assert.Equal([Key.VerifyingKey.KeyId[..16]], state.Revoked.Keys);
            var verdict = SigningKeyRules.Judge(state, new SignatureVerdict.Valid(Key.VerifyingKey.KeyId));
            Assert.Equal(SnapshotVerification.KeyUnknown, Assert.IsType<SnapshotVerdict.Refused>(SnapshotVerification.Judge(Cluster, Published(Noon), verdict, null, Noon)).Reason);
        }
    }

    [Fact]
    public void The_order_of_keys_in_an_object_does_not_matter_to_its_version()
    {
        var shuffled = Published(Noon).ToJsonObject();
        var operation = shuffled["spec"]!["principalPermissions"]![0]!["allowedOperations"]![0]!.AsObject();
        var entries = operation.Select(entry => (entry.Key, entry.Value?.DeepClone())).Reverse().ToArray();
        operation.Clear();
        foreach (var (key, value) in entries)
            operation[key] = value;

        Assert.IsType<SnapshotVerdict.Genuine>(Judge(KubeObject.From(shuffled), null, Noon));
    }

    [Fact]
    public void A_snapshot_is_always_newer_than_the_one_before_whatever_the_clock_says()
    {
        var first = PermissionSnapshot.Build(ClusterPermissions.None(Cluster), Noon);
        var second = PermissionSnapshot.Build(ClusterPermissions.None(Cluster), Noon.AddHours(-1), first);

        Assert.True(second.GeneratedAt > first.GeneratedAt);
        Assert.True(second.Refreshed(Noon).GeneratedAt > second.GeneratedAt);
    }

    [Fact]
    public void Who_asks_for_more_than_fits_is_left_out_and_takes_nobody_s_rights_away()
    {
        var many = string.Join(',', Enumerable.Range(0, 400).Select(i => $"name-{i:000}"));
        var permissions = EffectivePermissions.Compute(Cluster, [GrantOf($"core pods get {many}", "* * *"), GrantOf("core pods get", "* * *") with { Principal = "alice" }]);

        var snapshot = PermissionSnapshot.Build(permissions, Noon, mostBytes: 2048);

        Assert.Equal(["alice"], snapshot.Permissions.Principals.Select(held => held.Principal));
        Assert.Single(snapshot.LeftOut);
        Assert.Equal(PermissionSnapshot.VersionOf(snapshot.Permissions), snapshot.Version);
        Assert.Empty(PermissionSnapshot.Build(permissions, Noon).LeftOut);
    }

    [Fact]
    public void A_refused_copy_is_left_to_be_seen_for_a_while_and_a_new_issue_is_delivered_at_once()
    {
        var state = Told(ReceiptState.Initial(Cluster), Ready, Issued(Noon));
        Assert.True(ReceiptRules.OwesDelivery(state, Noon));
        state = Looked(state, Judge(Published(Noon), null, Noon));
        Assert.False(ReceiptRules.OwesDelivery(state, Noon));
        Assert.Equal(SnapshotSync.InSync, ReceiptRules.Fact(state).Sync);

        state = Looked(state, new SnapshotVerdict.Refused(SnapshotVerification.SignatureInvalid, "forged"));
        Assert.Equal((SnapshotSync.DegradedSecurityState, "SnapshotSignatureInvalid"), (ReceiptRules.Fact(state).Sync, ReceiptRules.Fact(state).Reason));
        Assert.False(ReceiptRules.OwesDelivery(state, Noon.AddSeconds(59)));
        Assert.True(ReceiptRules.OwesDelivery(state, Noon.AddSeconds(60)));
        Assert.True(ReceiptRules.OwesDelivery(Told(state, Issued(Noon.AddSeconds(1))), Noon.AddSeconds(2)));

        state = Looked(state, Judge(Published(Noon), null, Noon));
        Assert.Equal(SnapshotSync.InSync, ReceiptRules.Fact(state).Sync);
    }

    [Fact]
    public void A_deleted_copy_is_written_again_at_once_and_another_cluster_under_the_name_has_acknowledged_nothing()
    {
        var state = Looked(Told(ReceiptState.Initial(Cluster), Ready, Issued(Noon)), Judge(Published(Noon), null, Noon));

        Assert.True(ReceiptRules.OwesDelivery(Looked(state, new SnapshotVerdict.Refused(SnapshotVerification.Missing, "gone")), Noon));
        Assert.True(ReceiptRules.OwesDelivery(Told(state, Ready with { ApiUid = "api-2", Version = 2 }), Noon));
        Assert.Null(ReceiptRules.AcknowledgedBy(state, "api-2"));
    }

    [Fact]
    public void What_is_not_signed_is_not_delivered_and_what_lapses_degrades()
    {
        var state = Told(ReceiptState.Initial(Cluster), Ready, new SnapshotIssued(Cluster, "v", Noon, ""));
        Assert.False(ReceiptRules.OwesDelivery(state, Noon));
        Assert.Equal(SnapshotSync.Pending, ReceiptRules.Fact(state).Sync);

        state = Looked(Told(state, Issued(Noon)), Judge(Published(Noon), null, Noon));
        state = ReceiptRules.Decide(state, new ReceiptInput.Ticked(), Noon.AddSeconds(3601)).State;
        Assert.Equal("SnapshotStale", ReceiptRules.Fact(state).Reason);
    }

    [Fact]
    public void The_receipt_names_what_was_verified_and_there_is_none_before()
    {
        var state = Told(ReceiptState.Initial(Cluster), Ready, Issued(Noon));
        Assert.Null(ReceiptRules.DesiredReceipt(state));
        state = Looked(state, Judge(Published(Noon), null, Noon));
        var version = state.Acknowledged!.Version;

        state = Looked(state, new SnapshotVerdict.Refused(SnapshotVerification.Replayed, "older"));

        Assert.Equal(version, ReceiptRules.DesiredReceipt(state)!.FindText("spec", "snapshotVersion"));
        Assert.Equal("SnapshotReplayed: older", (string?)ReceiptRules.ReceiptStatus(state)["degradedReason"]);
    }

    private static SnapshotIssued Issued(DateTimeOffset at) => new(Cluster, State(at, Cluster).Snapshot!.Version, at, Key.VerifyingKey.KeyId);

    private static ReceiptState Told(ReceiptState state, params ReadOnlySpan<Fact> facts)
    {
        foreach (var fact in facts)
            state = ReceiptRules.Decide(state, new ReceiptInput.Told(fact), Noon).State;
        return state;
    }

    private static ReceiptState Looked(ReceiptState state, SnapshotVerdict verdict) => ReceiptRules.Decide(state, new ReceiptInput.Looked(verdict, "api-1"), Noon).State;

    private static SnapshotVerdict Judge(KubeObject copy, Acknowledgement? acknowledged, DateTimeOffset now) => SnapshotVerification.Judge(
        Cluster, copy, ObjectSignature.Verify(SignaturePurpose.PermissionSnapshot, copy, [Key.VerifyingKey]), acknowledged, now);

    private static KubeObject Published(DateTimeOffset at, ClusterName? cluster = null)
    {
        var state = State(at, cluster ?? Cluster);
        var plain = ClusterPermissionRules.Desired(state, Management, Key.VerifyingKey.KeyId)!;
        return ClusterPermissionRules.Desired(state, Management, Key.VerifyingKey.KeyId, ObjectSignature.Sign(SignaturePurpose.PermissionSnapshot, plain, Key))!;
    }

    private static PermissionState State(DateTimeOffset at, ClusterName cluster) => PermissionState.Initial(cluster) with
    {
        Snapshot = PermissionSnapshot.Build(EffectivePermissions.Compute(cluster, [GrantOf("core pods get,list", "* * *")]), at),
    };
}
