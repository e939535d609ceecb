using System.Text.Json.Nodes;
using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using static Governor.Domain.Tests.Permissions.Declarations;

namespace Governor.Domain.Tests.Permissions;

public sealed class IdentityTests
{
    private static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("""{"type": "oidc", "issuerURL": "https://issuer.example"}""", "")]
    [InlineData("""{"type": "oidc", "issuerURL": "http://127.0.0.1:8080/realm"}""", "")]
    [InlineData("""{"type": "pki", "caBundle": "-----BEGIN CERTIFICATE-----"}""", "")]
    [InlineData("""{"type": "token", "tokenSigningKey": "-----BEGIN PUBLIC KEY-----", "issuerURL": "ignored"}""", "")]
    [InlineData("""{"type": "oidc"}""", "IssuerURLValid")]
    [InlineData("""{"type": "oidc", "issuerURL": "http://issuer.example"}""", "IssuerURLValid")]
    [InlineData("""{"type": "oidc", "issuerURL": "https://issuer.example/?a=b"}""", "IssuerURLValid")]
    [InlineData("""{"type": "oidc", "issuerURL": "https://ann:secret@issuer.example"}""", "IssuerURLValid")]
    [InlineData("""{"type": "pki"}""", "CABundleNotEmpty")]
    [InlineData("""{"type": "token", "tokenSigningKey": " "}""", "TokenSigningKeyNotEmpty")]
    [InlineData("""{"type": "saml"}""", "ProviderTypeValid")]
    [InlineData("""{"type": "saml", "allowedAudiences": [1]}""", "ProviderTypeValid,TypeValid")]
    public void A_provider_is_read_or_refused(string spec, string checks) =>
        Assert.Equal(checks, string.Join(',', IdentityProvider.Read(Of("IdentityProvider", "idp", spec)).Failures.Select(failure => failure.Check)));

    [Fact]
    public void Whoever_writes_validation_rules_is_told_that_nobody_evaluates_them()
    {
        const string Plain = """{"type": "pki", "caBundle": "a certificate"}""";
        var state = Seen(IdentityProviderState.Initial(new ObjectKey("ns", "idp")), Plain.Replace("}", ""","validationRules": ["claims.a == 'b'", "true"]}""", StringComparison.Ordinal), 1);

        var said = state.Conditions.Find(IdentityProviderRules.RulesCondition)!;
        Assert.Equal((ConditionStatus.False, "NotEvaluated", "spec.validationRules: 2 rules are kept as they are written, and nobody evaluates them"), (said.Status, said.Reason, said.Message));
        Assert.True(state.Conditions.IsTrue(IdentityProviderRules.ValidCondition));
        Assert.Null(Seen(state, Plain, 2).Conditions.Find(IdentityProviderRules.RulesCondition));

        static IdentityProviderState Seen(IdentityProviderState state, string spec, long generation)
        {
            var shown = Of("IdentityProvider", "idp", spec).ToJsonObject();
            shown["metadata"]!["generation"] = generation;
            return IdentityProviderRules.Decide(state, new DeclarationInput.Observed(KubeObject.From(shown)), Noon).State;
        }
    }

    [Theory]
    [InlineData("", "", "")]
    [InlineData("principalName", null, "PrincipalNameNotEmpty")]
    [InlineData("identityType", "\"password\"", "IdentityTypeValid")]
    [InlineData("trustMethod", "\"hope\"", "TrustMethodValid")]
    [InlineData("tokenMaxTTLSeconds", "900", "")]
    [InlineData("tokenMaxTTLSeconds", "901", "TokenTTLValid")]
    [InlineData("tokenMaxTTLSeconds", "0", "TokenTTLValid")]
    [InlineData("tokenMaxTTLSeconds", "-1", "TokenTTLValid")]
    [InlineData("tokenMaxTTLSeconds", "99999999999", "TokenTTLValid")]
    [InlineData("tokenMaxTTLSeconds", null, "TokenTTLValid")]
    [InlineData("oidcConfig", null, "OIDCConfigValid")]
    [InlineData("oidcConfig.issuer", "\"\"", "OIDCConfigValid")]
    [InlineData("identityType", "\"certificate\"", "TrustMethodMatches,CertificateConfigValid")]
    [InlineData("identityType", "\"serviceAccount\"", "ServiceAccountConfigValid,ServiceAccountConfigValid")]
    public void A_binding_is_read_or_refused_with_every_failure(string path, string? json, string checks) =>
        Assert.Equal(checks, string.Join(',', IdentityBinding.Read(Binding(spec => path.Length > 0 ? spec.With(path, json) : spec)).Failures.Select(failure => failure.Check)));

    [Fact]
    public void The_spec_s_own_words_begin_the_messages_about_tokens()
    {
        var failures = IdentityBinding.Read(Binding(spec => spec.With("tokenMaxTTLSeconds", "901").With("identityType", "\"certificate\""))).Failures;

        Assert.Contains(failures, failure => failure.Message.StartsWith("TokenTTLExceeded: ", StringComparison.Ordinal) && failure.Message.Contains("found 901", StringComparison.Ordinal));
        Assert.Contains(failures, failure => failure.Message.StartsWith("TrustMethodMismatch: ", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false, "oidc", true, "TrustAnchorNotFound")]
    [InlineData(true, "pki", true, "TrustAnchorTypeMismatch")]
    [InlineData(true, "pki", false, "TrustAnchorTypeMismatch")]
    [InlineData(true, "oidc", false, "TrustAnchorInvalid")]
    [InlineData(true, "oidc", true, "TrustAnchorResolved")]
    public void A_trust_anchor_is_asked_for_existence_then_type_then_validity(bool exists, string type, bool valid, string reason)
    {
        var anchor = TrustAnchor.Resolve(IdentityType.Oidc, new(Namespace, "idp"), new IdentityProviderStanding(new(Namespace, "idp"), exists, type, valid, ""));

        Assert.Equal((reason, reason == "TrustAnchorResolved"), (anchor.Reason, anchor.Resolved));
    }

    [Fact]
    public void A_binding_follows_its_provider_as_it_appears_changes_and_goes()
    {
        var state = Decide(IdentityBindingState.Initial(new(Namespace, "ann")), new DeclarationInput.Observed(Binding(spec => spec.With("identityProviderRef", "\"idp\""))));
        Assert.Equal("TrustAnchorNotFound", state.Conditions.Find("TrustAnchorResolved")!.Reason);
        Assert.True(state.Conditions.IsTrue("Reconciling"));

        var version = 0L;
        foreach (var (exists, type, valid, reason) in new[] { (true, "oidc", true, "TrustAnchorResolved"), (true, "oidc", false, "TrustAnchorInvalid"), (true, "pki", true, "TrustAnchorTypeMismatch"), (false, "", false, "TrustAnchorNotFound") })
        {
            state = Decide(state, new DeclarationInput.Told(new IdentityProviderStanding(new(Namespace, "idp"), exists, type, valid, "") { Version = ++version }));
            Assert.Equal(reason, state.Conditions.Find("TrustAnchorResolved")!.Reason);
            Assert.Equal(reason == "TrustAnchorResolved", state.Conditions.IsTrue("IdentityBindingValid"));
        }
    }

    [Fact]
    public void A_late_word_of_a_provider_changes_nothing()
    {
        var state = Decide(IdentityBindingState.Initial(new(Namespace, "ann")), new DeclarationInput.Observed(Binding(spec => spec.With("identityProviderRef", "\"idp\""))));
        state = Decide(state, new DeclarationInput.Told(new IdentityProviderStanding(new(Namespace, "idp"), true, "oidc", true, "") { Version = 5 }));

        Assert.Same(state, Decide(state, new DeclarationInput.Told(new IdentityProviderStanding(new(Namespace, "idp"), false, "", false, "") { Version = 4 })));
    }

    [Fact]
    public void A_binding_without_provider_has_no_trust_anchor_condition_and_lets_its_former_provider_go()
    {
        var state = Decide(IdentityBindingState.Initial(new(Namespace, "ann")), new DeclarationInput.Observed(Binding(spec => spec.With("identityProviderRef", "\"idp\""))));
        state = Decide(state, new DeclarationInput.Told(new IdentityProviderStanding(new(Namespace, "idp"), true, "oidc", true, "") { Version = 1 }));
        state = Decide(state, new DeclarationInput.Observed(Binding(spec => spec, generation: 4)));

        Assert.Null(state.Conditions.Find("TrustAnchorResolved"));
        Assert.True(state.Conditions.IsTrue("IdentityBindingValid"));
        Assert.Contains(IdentityBindingRules.Outbox(state), letter => letter.To.Key == $"{Namespace}/idp" && letter.Fact is Interest { Active: false });
    }

    [Fact]
    public void An_issuer_is_asked_again_after_a_while_and_what_it_said_goes_with_its_name()
    {
        var provider = Of("IdentityProvider", "idp", """{"type": "oidc", "issuerURL": "https://one.example"}""");
        var state = IdentityProviderRules.Decide(IdentityProviderState.Initial(provider.Key), new DeclarationInput.Observed(provider), Noon).State;
        Assert.Equal("https://one.example", IdentityProviderRules.OwesQuestion(state, Noon));

        state = IdentityProviderRules.Decide(state, new DeclarationInput.IssuerAnswered("https://one.example", "refused"), Noon).State;
        Assert.Equal("Unreachable", state.Conditions.Find("Reachable")!.Reason);
        Assert.True(state.Conditions.IsTrue("Valid"));
        Assert.Null(IdentityProviderRules.OwesQuestion(state, Noon));
        Assert.Equal("https://one.example", IdentityProviderRules.OwesQuestion(state, Noon + IdentityProviderRules.AskAgain));

        state = IdentityProviderRules.Decide(state, new DeclarationInput.IssuerAnswered("https://other.example", null), Noon).State;
        Assert.False(state.Conditions.IsTrue("Reachable"));
        var other = Of("IdentityProvider", "idp", """{"type": "token", "tokenSigningKey": "key"}""", generation: 4);
        Assert.Null(IdentityProviderRules.Decide(state, new DeclarationInput.Observed(other), Noon).State.Conditions.Find("Reachable"));
    }

    private static IdentityBindingState Decide(IdentityBindingState state, DeclarationInput input) => IdentityBindingRules.Decide(state, input, Noon).State;

    private static KubeObject Binding(Func<JsonObject, JsonObject> change, long generation = 3) => Of("IdentityBinding", "ann", change(JsonNode.Parse("""
        {"identityType": "oidc", "principalName": "ann", "trustMethod": "token", "tokenMaxTTLSeconds": 600, "oidcConfig": {"issuer": "https://issuer.example", "clientID": "x"}}
        """)!.AsObject()).ToJsonString(), generation);

    private static KubeObject Of(string kind, string name, string spec, long generation = 3)
    {
        var made = Make(kind, name, JsonNode.Parse(spec)!.AsObject()).ToJsonObject();
        made["metadata"]!["generation"] = generation;
        return KubeObject.From(made);
    }
}
