using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers;
using Governor.Witness.Http;
using Governor.Witness.Keys;
using Governor.Witness.Mailbox;
using Governor.Witness.Memory;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Governor.Witness.Hosting;

/// <summary>Wires a witness.</summary>
public static class WitnessHost
{
    /// <summary>The settings, later sources first: command line, environment, the file that GOVERNOR_WITNESS_CONFIG names.</summary>
    /// <exception cref="OptionsValidationException">Says everything that is wrong.</exception>
    public static (IConfigurationRoot Configuration, WitnessOptions Options) Read(string[] args)
    {
        var builder = new ConfigurationBuilder();
        if (Environment.GetEnvironmentVariable("GOVERNOR_WITNESS_CONFIG") is { Length: > 0 } named)
            builder.AddJsonFile(Path.GetFullPath(named), optional: false);
        var configuration = builder.AddEnvironmentVariables().AddCommandLine(args).Build();
        var options = configuration.GetSection(WitnessOptions.Section).Get<WitnessOptions>() ?? new WitnessOptions();
        return (configuration, options);
    }

    /// <exception cref="OptionsValidationException">Says everything that is wrong.</exception>
    /// <exception cref="InvalidOperationException">The key or the state folder cannot be used.</exception>
    public static WebApplication Build(string[] args)
    {
        var (configuration, options) = Read(args);
        if (new WitnessOptionsValidator().Validate(null, options) is { Failed: true } faulty)
            throw new OptionsValidationException(WitnessOptions.Section, typeof(WitnessOptions), faulty.Failures);

        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddConfiguration(configuration);
        builder.Logging.AddConfiguration(configuration.GetSection("Logging"));
        AddParts(builder, options);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = WitnessRequest.MaximumBytes + 1; // one more, so that the endpoint sees that it is too much
            kestrel.Limits.MaxConcurrentConnections = 256;
        });
        if (options.Urls.Length == 0)
            builder.Services.AddSingleton<IServer, NoServer>();
        var app = builder.Build();
        if (options.Urls.Length > 0)
            app.Urls.Clear();
        foreach (var url in options.Urls.Split(';', StringSplitOptions.RemoveEmptyEntries))
            app.Urls.Add(url);
        ActivatorUtilities.CreateInstance<AddCheckpoint>(app.Services).Map(app);
        return app;
    }

    private static void AddParts(WebApplicationBuilder builder, WitnessOptions options)
    {
        var services = builder.Services;
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(WitnessKey.Open(options.KeyFile, options.Name));
        services.AddSingleton<IReadOnlyList<VerifierKey>>(options.LogKeys());
        services.AddSingleton<Notary>();
        if (options.StateFolder.Length > 0)
            services.AddSingleton<IWitnessStore>(new FolderStore(options.StateFolder));
        if (!options.Mailbox)
            return;
        var origin = options.LogKeys()[0].Name;
        services.AddKubernetes(options.Fill);
        services.AddSingleton(s => s.GetRequiredService<IClusters>().Management);
        services.AddSingleton(s => new WitnessConfigMap(s.GetRequiredService<ICluster>(), options.Namespace, s.GetRequiredService<WitnessKey>().Key));
        if (options.StateFolder.Length == 0)
            services.AddSingleton<IWitnessStore>(s => new ConfigMapStore(s.GetRequiredService<WitnessConfigMap>(), origin));
        services.AddHostedService(s => ActivatorUtilities.CreateInstance<MailboxWatcher>(s, options.Namespace, origin));
    }
}
