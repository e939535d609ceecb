using System.Text;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Kubeconfig;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Kubeconfig;

public sealed class CredentialTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory();
    private readonly ManualTime _time = new();

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_token_file_is_read_again_when_it_has_rotated()
    {
        var path = Write("token", "first\n");
        using var credential = new TokenFile(path, _time);
        Assert.Equal("first", await credential.TokenAsync(default));

        Write("token", "second\n");

        Assert.Equal("first", await credential.TokenAsync(default));
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal("second", await credential.TokenAsync(default));
    }

    [Fact]
    public async Task A_token_that_was_refused_is_read_again_at_once()
    {
        var path = Write("token", "first");
        using var credential = new TokenFile(path, _time);
        await credential.TokenAsync(default);
        Write("token", "second");

        Assert.True(credential.Refused());

        Assert.Equal("second", await credential.TokenAsync(default));
    }

    [Fact]
    public async Task A_token_file_that_vanished_is_a_passing_trouble_that_names_it()
    {
        using var credential = new TokenFile(Path.Combine(_folder.FullName, "none"), _time);

        var trouble = await Assert.ThrowsAsync<KubernetesException>(async () => await credential.TokenAsync(default));

        Assert.Equal("CredentialsUnavailable", trouble.Reason);
        Assert.True(trouble.IsTransient);
        Assert.Contains("none", trouble.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plugins_answer_is_kept_until_it_expires()
    {
        using var credential = Plugin($$$"""
            n=$(cat count 2>/dev/null || echo 0); n=$((n+1)); echo $n > count
            echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"token-'$n'","expirationTimestamp":"{{{_time.GetUtcNow().AddMinutes(5):O}}}"}}'
            """);

        Assert.Equal("token-1", await credential.TokenAsync(default));
        Assert.Equal("token-1", await credential.TokenAsync(default));
        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Equal("token-2", await credential.TokenAsync(default));
    }

    [Fact]
    public async Task A_plugin_is_told_what_kubectl_tells_it()
    {
        using var credential = Plugin(
            """
            echo "$KUBERNETES_EXEC_INFO" > info; echo "$EXTRA $1" > arguments
            echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"t"}}'
            """,
            "provideClusterInfo: true, env: [{name: EXTRA, value: more}], args: ['@plugin@', one]");

        await credential.TokenAsync(default);

        Assert.Equal("more one\n", File.ReadAllText(Path.Combine(_folder.FullName, "arguments")));
        var told = File.ReadAllText(Path.Combine(_folder.FullName, "info"));
        Assert.Contains("\"interactive\":false", told, StringComparison.Ordinal);
        Assert.Contains("\"server\":\"https://api.example\"", told, StringComparison.Ordinal);
        Assert.Contains("\"config\":{\"audience\":\"x\"}", told, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plugin_that_never_answers_is_ended()
    {
        using var credential = Plugin("echo $$ > pid; exec sleep 1000");
        var asked = credential.TokenAsync(default).AsTask();
        await _time.ArmedAsync(TimeSpan.FromSeconds(30));

        _time.Advance(TimeSpan.FromSeconds(30));

        var trouble = await Assert.ThrowsAsync<KubernetesException>(() => asked.Within());
        Assert.Contains("expected an answer within 00:00:30", trouble.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("echo oh no >&2; exit 3", "expected exit code 0, found 3: oh no")]
    [InlineData("echo hello", "expected an ExecCredential as JSON")]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\",\"kind\":\"ExecCredential\"}'", "found 'client.authentication.k8s.io/v1beta1'")]
    [InlineData("echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\",\"status\":{}}'", "found neither")]
    [InlineData("head -c 2000000 /dev/zero", "expected at most 1048576 bytes of output")]
    public async Task A_plugin_that_fails_is_a_passing_trouble_that_says_why(string script, string why)
    {
        using var credential = Plugin(script);

        var trouble = await Assert.ThrowsAsync<KubernetesException>(() => credential.TokenAsync(default).AsTask().Within());

        Assert.Equal("CredentialsUnavailable", trouble.Reason);
        Assert.Contains(why, trouble.Message, StringComparison.Ordinal);
    }

    private Credential Plugin(string script, string more = "args: ['@plugin@']")
    {
        var path = Write("plugin", $"cd '{_folder.FullName}'\n{script}\n");
        var text = Kubeconfigs.With("server: https://api.example\n    extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x}}]", $"exec: {{apiVersion: client.authentication.k8s.io/v1, command: sh, {more}}}".Replace("@plugin@", path, StringComparison.Ordinal));
        var source = new KubeconfigSource.OperatorFile(Path.Combine(_folder.FullName, "config"));
        return new KubeconfigReader(new KubernetesOptions(), _time).Read(Encoding.UTF8.GetBytes(text), source).Credential;
    }

    private string Write(string name, string text)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, text);
        return path;
    }
}
