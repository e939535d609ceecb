using System.Security.Cryptography.X509Certificates;
using Governor.Domain.Admission;
using Governor.Grains.Interfaces;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Extensions.Options;
using Orleans;

namespace Governor.Silo.Admission;

/// <summary>
/// The HTTPS listener of the webhooks: a server of its own beside the API, so that neither can be reached by the other's port, and a
/// flood on one keeps no connection of the other.
/// </summary>
internal sealed partial class AdmissionListener(
    AdmissionEndpoint endpoint, ServingCertificate serving, IGrainFactory grains, IOptions<AdmissionOptions> options, TimeProvider clock, ILoggerFactory loggers)
    : IHostedService, IAsyncDisposable
{
    private const int MostConnections = 256;

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ILogger _logger = loggers.CreateLogger<AdmissionListener>();
    private readonly CancellationTokenSource _stopping = new();
    private WebApplication? _server;
    private Task _opening = Task.CompletedTask;

    /// <summary>Where it listens; null while it does not.</summary>
    public Uri? Url => _server is { } server ? new Uri(server.Urls.First()) : null;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (!options.Value.IsOn)
            return;
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(Configure);
        var server = builder.Build();
        server.Urls.Clear();
        server.Urls.Add(options.Value.Url);
        foreach (var call in AdmissionCall.All)
            server.MapPost(call.Path, context => endpoint.AnswerAsync(context, call));
        await server.StartAsync(cancellationToken);
        _server = server;
        _opening = OpenAsync();
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync();
        await _opening.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (_server is { } server)
            await server.StopAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _stopping.Dispose();
        if (_server is { } server)
            await server.DisposeAsync();
    }

    private void Configure(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Limits.MaxRequestBodySize = options.Value.MaxReviewBytes;
        var clients = options.Value.ClientAuthorityFile is { Length: > 0 } file ? Load(file) : null;
        kestrel.ConfigureHttpsDefaults(https =>
        {
            https.ServerCertificateSelector = (_, _) => serving.Current;
            if (clients is null)
                return;
            https.ClientCertificateMode = ClientCertificateMode.RequireCertificate;
            https.ClientCertificateValidation = (certificate, chain, _) => IsOf(clients, certificate, chain);
        });
    }

    private static X509Certificate2Collection Load(string file)
    {
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPemFile(file);
        return trusted;
    }

    private static bool IsOf(X509Certificate2Collection authorities, X509Certificate2 certificate, X509Chain? _)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        return chain.Build(certificate);
    }

    // The first silo of all opens the window; each that starts later finds it as it is.
    private async Task OpenAsync()
    {
        while (!_stopping.IsCancellationRequested)
            try
            {
                await grains.GetGrain<IBootstrapGrain>(BootstrapRules.Key).StartAsync(options.Value.BootstrapWindow, options.Value.BootstrapSettling);
                return;
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                LogNotOpened(_logger, e, Pause);
                await Task.Delay(Pause, clock, _stopping.Token);
            }
    }

    [LoggerMessage(LogLevel.Warning, "The bootstrap window could not be committed and counts as closed; trying again in {Pause}")]
    private static partial void LogNotOpened(ILogger logger, Exception exception, TimeSpan pause);
}
