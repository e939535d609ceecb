using System.Security.Cryptography;
using Governor.Domain.Signing;

namespace Governor.Domain.Tests.Signing;

public sealed class KeyFileTests
{
    /// <summary>The example keys of RFC 8410, sections 10.1 and 10.3.</summary>
    private const string PublicPem = """
        -----BEGIN PUBLIC KEY-----
        MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
        -----END PUBLIC KEY-----
        """;

    private const string PrivatePem = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
        -----END PRIVATE KEY-----
        """;

    [Fact]
    public void The_example_keys_of_RFC_8410_belong_together()
    {
        var signing = SigningKey.Parse(PrivatePem, "private.pem");
        Assert.Equal(VerifyingKey.Parse(PublicPem, "public.pem"), signing.VerifyingKey);
    }

    [Fact]
    public void Keys_survive_being_written_and_read()
    {
        var key = SigningKey.Generate();
        Assert.Equal(key.VerifyingKey, SigningKey.Parse(key.ToPem(), "x").VerifyingKey);
        Assert.Equal(key.VerifyingKey, VerifyingKey.Parse(key.VerifyingKey.ToPem(), "x"));
        Assert.Equal(PrivatePem.Trim() + "\n", SigningKey.Parse(PrivatePem, "x").ToPem());
        Assert.Equal(PublicPem.Trim() + "\n", VerifyingKey.Parse(PublicPem, "x").ToPem());
    }

    [Fact]
    public void The_key_id_is_the_digest_of_the_PKIX_encoding()
    {
        var key = VerifyingKey.Parse(PublicPem, "public.pem");
        var der = Convert.FromBase64String("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=");
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(der)), key.KeyId);
        Assert.Equal(key.KeyId[..16], key.ShortKeyId);
    }

    [Theory]
    [InlineData("", "found no PEM block")]
    [InlineData("garbage", "found no PEM block")]
    [InlineData(PublicPem, "labelled 'PUBLIC KEY'")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "48 bytes of DER, found 3 bytes")]
    [InlineData(
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----",
        "another algorithm")]
    [InlineData(PrivatePem + "\n" + PrivatePem, "found more")]
    public void A_bad_private_key_is_an_error_that_says_where_and_what_and_never_shows_the_key(string pem, string expected)
    {
        var error = Assert.Throws<FormatException>(() => SigningKey.Parse(pem, "/keys/private.pem"));
        Assert.StartsWith("/keys/private.pem: expected", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("MC4C", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PrivatePem, "labelled 'PRIVATE KEY'")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----", "44 bytes of DER, found 3 bytes")]
    public void A_bad_public_key_is_an_error_that_says_where_and_what(string pem, string expected)
    {
        var error = Assert.Throws<FormatException>(() => VerifyingKey.Parse(pem, "public.pem"));
        Assert.StartsWith("public.pem: expected", error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_signing_key_never_shows_itself_as_text()
    {
        var key = SigningKey.Parse(PrivatePem, "x");
        Assert.Equal($"Ed25519 signing key {key.VerifyingKey.ShortKeyId}", key.ToString());
    }
}
