using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Signing;

namespace Governor.Domain.Tests.Packs;

public sealed class PackRulesTests
{
    private static readonly SigningKeyFact Key = new("0123456789abcdef0123", "pem", "key") { Version = 1 };

    [Fact]
    public void A_pack_waits_for_the_signing_key_and_says_so()
    {
        var state = Observe(PackState.Initial(new ObjectKey("seam-tenant-ccs-dev", "web")), Make.ClusterPack());

        Assert.Equal(PackTrust.Unsigned, state.Trust);
        Assert.False(PackRules.OwesSignature(state));
        Assert.Contains("signing key", state.Message, StringComparison.Ordinal);
        Assert.True(state.Conditions.IsTrue("SignaturePending"));
    }

    [Fact]
    public void Its_executions_exist_before_it_is_trusted()
    {
        var state = Observe(PackState.Initial(new ObjectKey("seam-tenant-ccs-dev", "web")), Make.ClusterPack());

        var execution = Assert.Single(PackRules.Executions(state));
        Assert.Equal("web-ccs-dev", execution.Name);
        Assert.Equal("pack-uid", execution.FindText("spec", "lineage", "rootUID"));
    }

    [Fact]
    public void A_signature_over_what_was_replaced_meanwhile_is_not_taken()
    {
        var state = Told(Key);

        var late = PackRules.Decide(state, new PackInput.Signed("sha256:of-something-else", "sig", "key"), Make.Now);

        Assert.Equal(PackTrust.Unsigned, late.State.Trust);
    }

    [Fact]
    public void A_signed_pack_whose_spec_changes_violates_immutability_and_delivers_nothing()
    {
        var signed = Signed();

        var changed = PackRules.Decide(signed, new PackInput.Observed(Make.ClusterPack(version: "v1.0.0-r2")), Make.Now);

        Assert.Equal(PackTrust.Rejected, changed.State.Trust);
        Assert.True(changed.State.Conditions.IsTrue("ImmutabilityViolation"));
        Assert.Empty(PackRules.Executions(changed.State));
        Assert.Equal("pack.rejected", Assert.Single(changed.Events).Action);
    }

    [Fact]
    public void A_recreated_pack_is_a_new_pack_and_has_to_be_signed_again()
    {
        var again = Observe(Signed(), Make.ClusterPack(uid: "second"));

        Assert.Equal(PackTrust.Unsigned, again.Trust);
        Assert.False(again.Conditions.IsTrue("Available"));
    }

    [Theory]
    [InlineData("forged")]
    [InlineData("unknown")]
    [InlineData("malformed")]
    public void A_signature_that_does_not_verify_rejects_the_pack(string how)
    {
        SignatureVerdict verdict = how switch
        {
            "forged" => new SignatureVerdict.Forged("0123456789abcdef"),
            "unknown" => new SignatureVerdict.UnknownKey("ffffffffffffffff"),
            _ => new SignatureVerdict.Malformed("it is no signature"),
        };
        var state = Told(Key);

        var found = PackRules.Decide(state, new PackInput.SignatureChecked(state.SpecDigest, "sig", verdict), Make.Now);

        Assert.Equal(PackTrust.Rejected, found.State.Trust);
        Assert.Equal("SignatureVerifyFailed", found.State.Reason);
        Assert.True(found.State.Conditions.IsTrue("Stalled"));
        Assert.False(PackRules.OwesSignature(found.State));
    }

    [Fact]
    public void Content_that_does_not_match_its_digest_rejects_the_pack()
    {
        var state = Told(Key);

        var found = PackRules.Decide(state, new PackInput.ContentRejected(state.SpecDigest, "DigestMismatch", "expected a, found b"), Make.Now);

        Assert.Equal(("DigestMismatch", PackTrust.Rejected), (found.State.Reason, found.State.Trust));
    }

    [Fact]
    public void It_is_announced_as_signed_only_when_the_object_shows_the_signature()
    {
        var signed = Signed();
        Assert.Equal(PackTrust.Unsigned, signed.Fact().Trust);

        var shown = Observe(signed, Make.ClusterPack(annotations: """{"ontai.dev/pack-signature":"ed25519:k:s"}"""));

        Assert.Equal(PackTrust.Signed, shown.Fact().Trust);
    }

    [Fact]
    public void A_signature_that_somebody_strips_closes_the_gate_and_is_recorded()
    {
        var shown = Observe(Signed(), Make.ClusterPack(annotations: """{"ontai.dev/pack-signature":"ed25519:k:s"}"""));

        var stripped = PackRules.Decide(shown, new PackInput.Observed(Make.ClusterPack()), Make.Now);

        Assert.False(stripped.State.IsAnnounced);
        Assert.Equal("pack.signature-altered", Assert.Single(stripped.Events).Action);
    }

    [Fact]
    public void A_pack_that_was_rejected_for_its_signature_is_judged_anew_when_that_is_removed()
    {
        var carrying = Make.ClusterPack(annotations: """{"ontai.dev/pack-signature":"forged"}""");
        var state = PackRules.Decide(Observe(PackState.Initial(new ObjectKey("seam-tenant-ccs-dev", "web")), carrying), new PackInput.Told(Key), Make.Now).State;
        state = PackRules.Decide(state, new PackInput.SignatureChecked(state.SpecDigest, "forged", new SignatureVerdict.Forged("k")), Make.Now).State;
        Assert.Equal(PackTrust.Rejected, state.Trust);

        Assert.True(PackRules.OwesSignature(Observe(state, Make.ClusterPack())));
    }

    [Fact]
    public void Target_names_that_cannot_be_clusters_are_refused()
    {
        var bad = Make.Json("""{"apiVersion":"infra.ontai.dev/v1alpha1","kind":"ClusterPack","metadata":{"name":"web","namespace":"n","uid":"u"},"spec":{"version":"v1","registryRef":{"url":"r/p"},"workloadDigest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","targetClusters":["ok","Bad_Name"]}}""");

        Assert.Contains("'Bad_Name'", Observe(PackState.Initial(new ObjectKey("n", "web")), bad).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_human_revokes_a_pack_with_a_reason_and_takes_it_back()
    {
        var revoked = PackRules.Decide(Signed(), new PackInput.Observed(Make.ClusterPack(annotations: """{"ontai.dev/pack-revoked":"CVE-2026-1"}""")), Make.Now);
        Assert.Equal(PackTrust.Revoked, revoked.State.Trust);
        Assert.Equal("CVE-2026-1", Assert.Single(revoked.Events).Rationale);

        var restored = Observe(revoked.State, Make.ClusterPack());
        Assert.Equal(PackTrust.Unsigned, restored.Trust);
    }

    [Fact]
    public void Every_fault_of_a_spec_is_listed_with_its_path()
    {
        var broken = Make.Json("""{"apiVersion":"infra.ontai.dev/v1alpha1","kind":"ClusterPack","metadata":{"name":"web","namespace":"n","uid":"u"},"spec":{"rbacDigest":"md5:1"}}""");

        var state = Observe(PackState.Initial(new ObjectKey("n", "web")), broken);

        Assert.Equal(PackTrust.Rejected, state.Trust);
        foreach (var path in (string[])["spec.version", "spec.registryRef.url", "spec.rbacDigest"])
            Assert.Contains(path, state.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Seeing_the_same_object_again_decides_nothing()
    {
        var signed = Signed();

        var again = PackRules.Decide(signed, new PackInput.Observed(Make.ClusterPack()), Make.Now);

        Assert.Same(signed, again.State);
        Assert.Empty(again.Events);
    }

    private static PackState Observe(PackState state, KubeObject pack) => PackRules.Decide(state, new PackInput.Observed(pack), Make.Now).State;

    private static PackState Told(Fact fact) =>
        PackRules.Decide(Observe(PackState.Initial(new ObjectKey("seam-tenant-ccs-dev", "web")), Make.ClusterPack()), new PackInput.Told(fact), Make.Now).State;

    private static PackState Signed()
    {
        var state = Told(Key);
        return PackRules.Decide(state, new PackInput.Signed(state.SpecDigest, "ed25519:k:s", "0123456789abcdef0123"), Make.Now).State;
    }
}
