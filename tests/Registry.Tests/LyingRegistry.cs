using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Governor.Registry.Tests;

/// <summary>A server on a free port of 127.0.0.1 that answers as a test tells it to, and remembers what it was asked.</summary>
internal sealed class LyingRegistry : IAsyncDisposable
{
    private readonly WebApplication _app;

    private LyingRegistry(WebApplication app) => _app = app;

    internal string Host => new Uri(_app.Urls.Single()).Authority;

    internal ConcurrentQueue<(string Request, string Authorization)> Asked { get; } = [];

    internal int Count(string requestPart) => Asked.Count(a => a.Request.Contains(requestPart, StringComparison.Ordinal));

    internal static async Task<LyingRegistry> StartAsync(Func<HttpContext, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(System.Net.IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1));
        var app = builder.Build();
        var made = new LyingRegistry(app);
        app.Run(context =>
        {
            made.Asked.Enqueue(($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}", context.Request.Headers.Authorization.ToString()));
            return answer(context);
        });
        await app.StartAsync();
        return made;
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
