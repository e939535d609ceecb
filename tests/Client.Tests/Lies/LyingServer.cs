using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Governor.Client.Tests.Lies;

/// <summary>A request as somebody in between may change it.</summary>
internal sealed record Passed(string Method, string Path, string Query, string ContentType, string Body);

/// <summary>Stands before a sandbox and hears something else than what was said, as a server would that does not do what it promises.</summary>
internal sealed class LyingServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _behind;

    private LyingServer(WebApplication app, HttpClient behind) => (_app, _behind) = (app, behind);

    public Uri Url => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>Where the truth is; known once the sandbox runs.</summary>
    public Uri? Honest { get; set; }

    public static async Task<LyingServer> StartAsync(Func<Passed, Passed> lie)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        var app = builder.Build();
        var server = new LyingServer(app, new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }));
        app.Run(http => server.PassAsync(http, lie));
        await app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        _behind.CancelPendingRequests();
        await _app.StopAsync(new CancellationToken(true));
        await _app.DisposeAsync();
        _behind.Dispose();
    }

    private async Task PassAsync(HttpContext http, Func<Passed, Passed> lie)
    {
        using var reader = new StreamReader(http.Request.Body);
        var heard = lie(new Passed(
            http.Request.Method, http.Request.Path.Value!, http.Request.QueryString.Value ?? "", http.Request.ContentType ?? "", await reader.ReadToEndAsync(http.RequestAborted)));
        using var request = new HttpRequestMessage(new HttpMethod(heard.Method), new Uri(Honest!, heard.Path + heard.Query));
        if (heard.Body.Length > 0)
        {
            request.Content = new StringContent(heard.Body);
            request.Content.Headers.Remove("Content-Type");
            request.Content.Headers.TryAddWithoutValidation("Content-Type", heard.ContentType);
        }
        foreach (var name in (string[])["Accept", "Authorization", "User-Agent", "If-None-Match"])
            if (http.Request.Headers[name].ToString() is { Length: > 0 } value)
                request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await _behind.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, http.RequestAborted);
        http.Response.StatusCode = (int)answer.StatusCode;
        http.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
        await http.Response.Body.FlushAsync(http.RequestAborted); // headers at once: a watch may have nothing to say for a while
        await using var body = await answer.Content.ReadAsStreamAsync(http.RequestAborted);
        var buffer = new byte[16 * 1024];
        for (int read; (read = await body.ReadAsync(buffer, http.RequestAborted)) > 0;)
        {
            await http.Response.Body.WriteAsync(buffer.AsMemory(0, read), http.RequestAborted);
            await http.Response.Body.FlushAsync(http.RequestAborted);
        }
    }
}
