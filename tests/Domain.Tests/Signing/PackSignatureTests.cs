using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Signing;

namespace Governor.Domain.Tests.Signing;

public sealed class PackSignatureTests
{
    private static readonly SigningKey Key = SigningKey.Generate();
    private static readonly VerifyingKey[] Trusted = [SigningKey.Generate().VerifyingKey, Key.VerifyingKey];

    private static KubeObject Pack(Action<JsonObject>? change = null)
    {
        var pack = JsonNode.Parse("""
            {
              "apiVersion": "infra.ontai.dev/v1alpha1", "kind": "ClusterPack",
              "metadata": { "name": "web", "namespace": "seam-tenant-ccs-dev", "resourceVersion": "7" },
              "spec": { "version": "v1.0.0-r1", "targetClusters": ["ccs-dev"], "registryRef": { "url": "registry.example/web", "digest": "sha256:00" } }
            }
            """)!.AsObject();
        change?.Invoke(pack);
        return KubeObject.From(pack);
    }

    [Fact]
    public void A_signature_is_valid_for_its_pack_and_names_its_key()
    {
        var signature = PackSignature.Sign(Pack(), Key);
        Assert.StartsWith($"ed25519:{Key.VerifyingKey.ShortKeyId}:", signature, StringComparison.Ordinal);
        Assert.Equal(new SignatureVerdict.Valid(Key.VerifyingKey.KeyId), PackSignature.Verify(Pack(), signature, Trusted));
    }

    [Fact]
    public void The_payload_is_domain_name_and_canonical_spec() =>
        Assert.Equal(
            "governor.pack.v1\nseam-tenant-ccs-dev/web\n" +
            """{"registryRef":{"digest":"sha256:00","url":"registry.example/web"},"targetClusters":["ccs-dev"],"version":"v1.0.0-r1"}""",
            Encoding.UTF8.GetString(PackSignature.Payload(Pack())));

    [Fact]
    public void The_annotation_is_where_the_signature_is_looked_for()
    {
        Assert.Equal(new SignatureVerdict.Missing(), PackSignature.Verify(Pack(), Trusted));
        var signature = PackSignature.Sign(Pack(), Key);
        var signed = Pack(p => p["metadata"]!["annotations"] = new JsonObject { [PackSignature.Annotation] = signature });
        Assert.IsType<SignatureVerdict.Valid>(PackSignature.Verify(signed, Trusted));
    }

    public static TheoryData<string, Action<JsonObject>> IrrelevantChanges => new()
    {
        { "resource version", p => p["metadata"]!["resourceVersion"] = "8" },
        { "label", p => p["metadata"]!["labels"] = new JsonObject { ["a"] = "b" } },
        { "status", p => p["status"] = new JsonObject { ["signed"] = true } },
        { "alias group", p => p["apiVersion"] = "infrastructure.ontai.dev/v1alpha1" },
    };

    [Theory, MemberData(nameof(IrrelevantChanges))]
    public void What_is_not_the_pack_may_change(string what, Action<JsonObject> change)
    {
        var signature = PackSignature.Sign(Pack(), Key);
        Assert.True(PackSignature.Verify(Pack(change), signature, Trusted) is SignatureVerdict.Valid, what);
    }

    public static TheoryData<string, Action<JsonObject>> Tampering => new()
    {
        { "spec field flipped", p => p["spec"]!["version"] = "v1.0.0-r2" },
        { "spec field added", p => p["spec"]!["rollbackToRevision"] = 1 },
        { "spec field removed", p => p["spec"]!.AsObject().Remove("targetClusters") },
        { "digest swapped", p => p["spec"]!["registryRef"]!["digest"] = "sha256:01" },
        { "target added", p => p["spec"]!["targetClusters"]!.AsArray().Add("ccs-prod") },
        { "renamed", p => p["metadata"]!["name"] = "web2" },
        { "other namespace", p => p["metadata"]!["namespace"] = "seam-tenant-ccs-prod" },
        { "no namespace", p => p["metadata"]!.AsObject().Remove("namespace") },
    };

    [Theory, MemberData(nameof(Tampering))]
    public void A_changed_pack_is_forged(string what, Action<JsonObject> change)
    {
        var signature = PackSignature.Sign(Pack(), Key);
        Assert.True(PackSignature.Verify(Pack(change), signature, Trusted) is SignatureVerdict.Forged, what);
    }

    [Fact]
    public void A_foreign_key_is_unknown()
    {
        var foreign = SigningKey.Generate();
        var signature = PackSignature.Sign(Pack(), foreign);
        Assert.Equal(new SignatureVerdict.UnknownKey(foreign.VerifyingKey.ShortKeyId), PackSignature.Verify(Pack(), signature, Trusted));
        Assert.IsType<SignatureVerdict.UnknownKey>(PackSignature.Verify(Pack(), signature, []));
    }

    [Fact]
    public void A_foreign_signature_under_a_trusted_name_is_forged()
    {
        var foreign = PackSignature.Sign(Pack(), SigningKey.Generate());
        var dressed = $"ed25519:{Key.VerifyingKey.ShortKeyId}:{foreign.Split(':')[2]}";
        Assert.IsType<SignatureVerdict.Forged>(PackSignature.Verify(Pack(), dressed, Trusted));
    }

    [Fact]
    public void A_bare_signature_of_the_spec_is_not_one_of_ours()
    {
        var bare = Convert.ToBase64String(Key.Sign(CanonicalJson.Encode(Pack().Spec)));
        Assert.IsType<SignatureVerdict.Malformed>(PackSignature.Verify(Pack(), bare, Trusted));
        Assert.IsType<SignatureVerdict.Forged>(
            PackSignature.Verify(Pack(), $"ed25519:{Key.VerifyingKey.ShortKeyId}:{bare}", Trusted));
    }

    [Theory]
    [InlineData("truncated")]
    [InlineData("padded")]
    [InlineData("extra part")]
    [InlineData("upper-case key id")]
    [InlineData("other algorithm")]
    [InlineData("spare bits set")]
    [InlineData("trailing space")]
    public void Any_other_form_is_malformed(string form)
    {
        var good = PackSignature.Sign(Pack(), Key);
        var signature = form switch
        {
            "truncated" => good[..^4],
            "padded" => good + "AAAA",
            "extra part" => good + ":",
            "upper-case key id" => $"ed25519:ABCDEF0123456789:{good.Split(':')[2]}",
            "other algorithm" => good.Replace("ed25519", "ed448", StringComparison.Ordinal),
            "spare bits set" => good[..^3] + (char)(good[^3] + 1) + "==", // same bytes, other text
            _ => good + " ",
        };
        Assert.IsType<SignatureVerdict.Malformed>(PackSignature.Verify(Pack(), signature, Trusted));
    }

    [Theory]
    [InlineData("no spec")]
    [InlineData("slash in name")]
    [InlineData("newline in namespace")]
    public void A_pack_that_cannot_be_signed_is_malformed_and_never_valid(string how)
    {
        var signature = PackSignature.Sign(Pack(), Key);
        var pack = Pack(p =>
        {
            switch (how)
            {
                case "no spec": p.Remove("spec"); break;
                case "slash in name": p["metadata"]!["name"] = "a/b"; break;
                default: p["metadata"]!["namespace"] = "a\nb"; break;
            }
        });
        Assert.IsType<SignatureVerdict.Malformed>(PackSignature.Verify(pack, signature, Trusted));
        Assert.Throws<FormatException>(() => PackSignature.Sign(pack, Key));
    }
}
