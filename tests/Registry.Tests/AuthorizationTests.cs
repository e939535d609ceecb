using System.Text;
using Governor.Domain.Signing;
using Microsoft.AspNetCore.Http;

namespace Governor.Registry.Tests;

/// <summary>A docker config.json of a test's own.</summary>
internal sealed class CredentialsFile : IDisposable
{
    private CredentialsFile(string content)
    {
        Path = System.IO.Path.GetTempFileName();
        File.WriteAllText(Path, content);
    }

    internal string Path { get; }

    internal static CredentialsFile Of(string content) => new(content);

    internal static CredentialsFile For(string host, string user, string password) =>
        new($$$"""{"auths":{"{{{host}}}":{"auth":"{{{Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password}"))}}}" } } }""");

    public void Dispose() => File.Delete(Path);
}

public sealed class AuthorizationTests
{
    private static readonly byte[] Content = "blob"u8.ToArray();

    private static Task ChallengeAsync(HttpContext context, string challenge)
    {
        context.Response.StatusCode = 401;
        context.Response.Headers.WWWAuthenticate = challenge;
        return Task.CompletedTask;
    }

    private static Task<byte[]> PullAsync(OciClient client, string host) =>
        client.PullBlobAsync(RepositoryName.Parse($"{host}/packs/web"), Digest.Of(Content), default);

    [Fact]
    public async Task Basic_credentials_are_sent_once_asked_for_and_then_remembered()
    {
        var expected = "Basic " + Convert.ToBase64String("user:pass:word"u8);
        await using var registry = await LyingRegistry.StartAsync(context =>
            context.Request.Headers.Authorization == expected ? context.Response.Body.WriteAsync(Content).AsTask() : ChallengeAsync(context, "Basic realm=\"packs\""));
        using var file = CredentialsFile.For(registry.Host, "user", "pass:word");
        using var client = new OciClient(new RegistryOptions { CredentialsFile = file.Path, Attempts = 1 });
        Assert.Equal(Content, await PullAsync(client, registry.Host));
        Assert.Equal(Content, await PullAsync(client, registry.Host));
        Assert.Equal(["", expected, expected], registry.Asked.Select(a => a.Authorization));
    }

    [Fact]
    public async Task A_bearer_token_is_fetched_from_the_realm_with_the_registrys_credentials()
    {
        var basic = "Basic " + Convert.ToBase64String("user:password"u8);
        await using var realm = await LyingRegistry.StartAsync(context =>
            context.Request.Headers.Authorization == basic
                ? context.Response.WriteAsync("""{"token":"t0ken","expires_in":300}""")
                : ChallengeAsync(context, "Basic"));
        await using var registry = await LyingRegistry.StartAsync(context =>
            context.Request.Headers.Authorization == "Bearer t0ken"
                ? context.Response.Body.WriteAsync(Content).AsTask()
                : ChallengeAsync(context, $"Bearer realm=\"http://{realm.Host}/token\",service=\"registry\",scope=\"repository:packs/web:pull\""));
        using var file = CredentialsFile.Of($$$"""{"auths":{"https://{{{registry.Host}}}/v1/":{"username":"user","password":"password" } } }""");
        using var client = new OciClient(new RegistryOptions { CredentialsFile = file.Path, Attempts = 1 });
        Assert.Equal(Content, await PullAsync(client, registry.Host));
        Assert.Equal(Content, await PullAsync(client, registry.Host));
        Assert.Equal("GET /token?scope=repository%3Apacks%2Fweb%3Apull&service=registry", Assert.Single(realm.Asked).Request);
    }

    [Fact]
    public async Task An_anonymous_token_needs_no_credentials_and_an_identity_token_is_exchanged()
    {
        var form = "";
        await using var realm = await LyingRegistry.StartAsync(async context =>
        {
            form = await new StreamReader(context.Request.Body).ReadToEndAsync();
            await context.Response.WriteAsync("""{"access_token":"t0ken"}""");
        });
        await using var registry = await LyingRegistry.StartAsync(context =>
            context.Request.Headers.Authorization == "Bearer t0ken"
                ? context.Response.Body.WriteAsync(Content).AsTask()
                : ChallengeAsync(context, $"Bearer realm=\"http://{realm.Host}/token\""));
        using var anonymous = new OciClient(new RegistryOptions { Attempts = 1 });
        Assert.Equal(Content, await PullAsync(anonymous, registry.Host));
        Assert.StartsWith("GET /token?scope=repository%3Apacks%2Fweb%3Apull", Assert.Single(realm.Asked).Request, StringComparison.Ordinal);

        using var file = CredentialsFile.Of($$$"""{"auths":{"{{{registry.Host}}}":{"identitytoken":"refresh" } } }""");
        using var client = new OciClient(new RegistryOptions { CredentialsFile = file.Path, Attempts = 1 });
        Assert.Equal(Content, await PullAsync(client, registry.Host));
        Assert.Contains("grant_type=refresh_token&refresh_token=refresh", form, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Basic realm=\"r\"", "no credentials for")]
    [InlineData("Negotiate", "found a challenge 'Negotiate'")]
    [InlineData("Bearer service=\"x\"", "the URL of a realm")]
    [InlineData("Bearer realm=\"http://token.example.org/t\"", "plain http")]
    public async Task A_challenge_that_cannot_be_answered_is_denied(string challenge, string expected)
    {
        await using var registry = await LyingRegistry.StartAsync(context => ChallengeAsync(context, challenge));
        using var client = new OciClient(new RegistryOptions { Attempts = 1 });
        var error = await Assert.ThrowsAsync<RegistryException>(() => PullAsync(client, registry.Host));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.False(error.IsTransient);
    }

    [Fact]
    public async Task Wrong_credentials_are_tried_once_and_never_shown()
    {
        await using var registry = await LyingRegistry.StartAsync(context => ChallengeAsync(context, "Basic realm=\"r\""));
        using var file = CredentialsFile.For(registry.Host, "user", "s3cret");
        using var client = new OciClient(new RegistryOptions { CredentialsFile = file.Path, Attempts = 3 });
        var error = await Assert.ThrowsAsync<RegistryException>(() => PullAsync(client, registry.Host));
        Assert.Equal(RegistryReasons.RegistryDenied, error.Reason);
        Assert.Equal(2, registry.Asked.Count);
        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{", "not JSON of docker's")]
    [InlineData("[]", "not JSON of docker's")]
    [InlineData("""{"auths":{"HOST":{"auth":"c2VjcmV0" } } }""", "is not base64 of 'user:password'")]
    public async Task An_unreadable_credentials_file_is_an_error_that_says_where_and_shows_nothing(string content, string expected)
    {
        await using var registry = await LyingRegistry.StartAsync(context => ChallengeAsync(context, "Basic realm=\"r\""));
        using var file = CredentialsFile.Of(content.Replace("HOST", registry.Host, StringComparison.Ordinal));
        using var client = new OciClient(new RegistryOptions { CredentialsFile = file.Path, Attempts = 1 });
        var error = await Assert.ThrowsAsync<RegistryException>(() => PullAsync(client, registry.Host));
        Assert.StartsWith(file.Path, error.Message, StringComparison.Ordinal);
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("c2VjcmV0", error.ToString(), StringComparison.Ordinal);
    }
}
