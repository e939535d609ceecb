using System.Net;
using System.Text;
using System.Text.Json;

namespace Governor.Silo.Tests;

/// <summary>A question to the API whose body is JSON.</summary>
internal static class JsonCall
{
    public static async Task<HttpResponseMessage> PostAsync(HttpClient client, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        return await client.PostAsync(new Uri(path, UriKind.Relative), content);
    }

    /// <summary>It is refused with a problem that says why.</summary>
    public static async Task ProblemAsync(HttpClient client, string path, string body, HttpStatusCode status, string why)
    {
        using var answer = await PostAsync(client, path, body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{path}: expected {status}, found {answer.StatusCode} {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains(why, JsonDocument.Parse(text).RootElement.GetProperty("detail").GetString()!, StringComparison.Ordinal);
    }
}
