using System.Collections.Immutable;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Signing;

namespace Governor.Domain.Tests.Packs;

/// <summary>The chain of trust of a pack: re-signing, revoked keys, revoked contents.</summary>
public sealed class TrustTests
{
    private static readonly ObjectKey Key = new("seam-tenant-ccs-dev", "web");
    private static readonly SigningKeyFact Signer = new("0123456789abcdef0123", "pem", "key") { Version = 1 };

    [Fact]
    public void What_may_change_is_signed_again_and_what_may_not_is_refused()
    {
        var moved = Decide(Signed(), Pack(targets: "\"ccs-dev\",\"ccs-prod\""));
        Assert.Equal(PackTrust.Unsigned, moved.Trust);
        Assert.False(PackRules.HasToBeChecked(moved, moved.Carried)); // the signature that it carries is ours, over the spec of before
        var decided = PackRules.Decide(moved, new PackInput.Signed(moved.SpecDigest, "ed25519:k:s2", Signer.KeyId), Make.Now);
        Assert.Equal("pack.signed-again", Assert.Single(decided.Events).Action);

        var altered = Decide(Signed(), Pack(version: "v2.0.0"));
        Assert.Equal((PackTrust.Rejected, "ImmutabilityViolation"), (altered.Trust, altered.Reason));
    }

    [Fact]
    public void A_changed_pack_that_carries_a_foreign_signature_is_checked_and_not_signed_over()
    {
        var state = Decide(Signed(), Pack(targets: "\"ccs-dev\",\"ccs-prod\"", annotations: "\"ontai.dev/pack-signature\":\"ed25519:other\""));

        Assert.True(PackRules.HasToBeChecked(state, state.Carried));
    }

    [Fact]
    public void What_a_revoked_key_signed_counts_no_more_until_a_human_asks_for_another_signature()
    {
        var revoked = new SigningKeyFact("fedcba9876543210ffff", "pem", "key", ImmutableSortedDictionary<string, string>.Empty.Add("0123456789abcdef", "ann: stolen")) { Version = 2 };

        var decided = PackRules.Decide(Signed(), new PackInput.Told(revoked), Make.Now);

        Assert.Equal((PackTrust.Rejected, "SigningKeyRevoked"), (decided.State.Trust, decided.State.Reason));
        Assert.Contains("ann: stolen", decided.State.Message, StringComparison.Ordinal);
        Assert.Equal("pack.rejected", Assert.Single(decided.Events).Action);
        Assert.Equal("SigningKeyRevoked", Decide(decided.State, Pack(targets: "\"ccs-prod\"")).Reason); // no edit washes it
        Assert.True(PackRules.OwesSignature(Decide(decided.State, Pack(annotations: ""))));
    }

    [Fact]
    public void A_revoked_content_stays_revoked_when_it_is_declared_again_and_is_attributed()
    {
        var revoked = Decide(Signed(), Pack(annotations: "\"ontai.dev/pack-revoked\":\"CVE-1\",\"ontai.dev/pack-revoked-by\":\"ann\""));
        Assert.Equal("revoked by ann: CVE-1", revoked.Message);

        var gone = PackRules.Decide(revoked, new PackInput.Gone(), Make.Now).State;
        var again = Decide(gone, Pack(uid: "second", annotations: ""));
        Assert.Equal(PackTrust.Revoked, again.Trust);
        Assert.Equal(new Revocation("ann", "CVE-1"), again.Fact().RevocationOf(again.ContentDigest));

        var other = Decide(gone, Pack(uid: "third", annotations: "", version: "v2.0.0"));
        Assert.Equal(PackTrust.Unsigned, other.Trust);
    }

    [Fact]
    public void Who_revoked_a_pack_is_read_off_the_object_where_nobody_says_so()
    {
        var written = Make.Json("""
            {"apiVersion":"infra.ontai.dev/v1alpha1","kind":"ClusterPack","metadata":{"name":"web","namespace":"n","uid":"u","annotations":{"ontai.dev/pack-revoked":"why"},
             "managedFields":[{"manager":"kubectl-annotate","fieldsV1":{"f:metadata":{"f:annotations":{"f:ontai.dev/pack-revoked":{}}}}}]},"spec":{}}
            """);

        Assert.Equal("whoever writes as 'kubectl-annotate'", PackRevocation.CarriedBy(written)!.By);
    }

    [Fact]
    public void A_key_that_is_revoked_is_neither_used_nor_trusted_and_never_comes_back()
    {
        var revoked = ImmutableSortedDictionary<string, string>.Empty.Add("0123456789abcdef", "ann: stolen");
        var found = SigningKeyRules.Decide(SigningKeyState.Initial, new SigningKeyInput.Found("0123456789abcdef0123", "pem", "s"), Make.Now).State;

        var decided = SigningKeyRules.Decide(found, new SigningKeyInput.Found("0123456789abcdef0123", "pem", "s", revoked), Make.Now);

        Assert.Equal(["signingkey.revoked", "signingkey.changed"], decided.Events.Select(e => e.Action));
        Assert.Equal("", decided.State.KeyId);
        Assert.IsType<SignatureVerdict.RevokedKey>(SigningKeyRules.Judge(decided.State, new SignatureVerdict.Valid("0123456789abcdef0123")));
        Assert.Equal("", SigningKeyRules.Decide(decided.State, new SigningKeyInput.Found("0123456789abcdef0123", "pem", "s"), Make.Now).State.KeyId);
        Assert.Equal("fed", SigningKeyRules.Decide(decided.State, new SigningKeyInput.Found("fed", "pem", "s"), Make.Now).State.KeyId);
    }

    [Theory]
    [InlineData("clusterPackRef", "other")]
    [InlineData("workloadDigest", "sha256:00")]
    [InlineData("targetClusterRef", "ccs-prod")]
    public void A_receipt_that_says_something_else_than_the_signed_pack_does_not_verify(string field, string value)
    {
        var document = PackDocument.Of(Pack());
        var state = InstanceState.Initial with
        {
            Key = new ObjectKey("seam-tenant-ccs-dev", "web-ccs-dev"),
            Cluster = "ccs-dev",
            Releases = [new Release(1, Key, "u", "v1", PackSpec.Read(Pack()).Spec!, Key, "e", Make.Now, UpgradeDirection.Initial, [], null, "c", document, "k")],
        };
        var receipt = PackReceiptRules.Desired(state);
        Assert.Equal("", PackReceiptRules.Read(receipt).Fault);
        var forged = receipt.ToJsonObject();
        forged["spec"]![field] = value;

        Assert.StartsWith($"spec.{field}: expected", PackReceiptRules.Read(KubeObject.From(forged)).Fault, StringComparison.Ordinal);
    }

    private static PackState Decide(PackState state, KubeObject pack) => PackRules.Decide(state, new PackInput.Observed(pack), Make.Now).State;

    private static PackState Signed()
    {
        var state = Decide(PackState.Initial(Key), Pack(annotations: ""));
        state = PackRules.Decide(state, new PackInput.Told(Signer), Make.Now).State;
        state = PackRules.Decide(state, new PackInput.Signed(state.SpecDigest, "ed25519:k:s", Signer.KeyId), Make.Now).State;
        return Decide(state, Pack());
    }

    private static KubeObject Pack(string uid = "u", string version = "v1.0.0", string targets = "\"ccs-dev\"", string annotations = "\"ontai.dev/pack-signature\":\"ed25519:k:s\"") => Make.Json($$"""
        {"apiVersion":"infra.ontai.dev/v1alpha1","kind":"ClusterPack","metadata":{"name":"web","namespace":"seam-tenant-ccs-dev","uid":"{{uid}}","generation":1,"annotations":{ {{annotations}} } },
         "spec":{"version":"{{version}}","registryRef":{"url":"r/p"},"workloadDigest":"{{Make.SomeDigest}}","targetClusters":[{{targets}}] } }
        """);
}
