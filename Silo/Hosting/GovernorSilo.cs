using System.Text.Json.Serialization;
using Governor.Domain.Kinds;
using Governor.Grains.Approvals;
using Governor.Grains.Clusters;
using Governor.Grains.Governing;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Packs;
using Governor.Grains.Watches;
using Governor.Journal;
using Governor.Registry;
using Governor.Silo.Admission;
using Governor.Silo.Api;
using Governor.Silo.Audit;
using Governor.Silo.Metrics;
using Governor.Silo.Portal;
using Governor.Watchers;
using Microsoft.Extensions.Options;

namespace Governor.Silo.Hosting;

/// <summary>Where everything is wired: the only place that knows all parts.</summary>
public static class GovernorSilo
{
    private const string ConfigurationFile = "orleans.config.json";

    public static WebApplication Build(string[] args)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
        // Later sources win: the file beside the binary, the file that was named, the environment, the command line.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddJsonFile(Path.Combine(AppContext.BaseDirectory, ConfigurationFile), optional: true);
        if (Environment.GetEnvironmentVariable("GOVERNOR_CONFIG") is { Length: > 0 } named)
            builder.Configuration.AddJsonFile(Path.GetFullPath(named), optional: false);
        builder.Configuration.AddEnvironmentVariables().AddCommandLine(args);

        builder.Logging.AddConfiguration(builder.Configuration.GetSection("Logging"));
        AddOptions(builder);
        AddParts(builder);
        var app = builder.Build();
        Validate(app.Services);
        app.Urls.Clear();
        foreach (var url in app.Services.GetRequiredService<IOptions<SiloOptions>>().Value.Urls.Split(';'))
            app.Urls.Add(url);
        MapEndpoints(app);
        return app;
    }

    // Everything that is wrong, at once and before anything starts: nobody should have to repair his configuration line by line.
    private static void Validate(IServiceProvider services)
    {
        try
        {
            services.GetRequiredService<IStartupValidator>().Validate();
        }
        catch (AggregateException e) when (e.InnerExceptions.All(inner => inner is OptionsValidationException))
        {
            throw new OptionsValidationException(
                "Governor", typeof(GovernorSilo), e.InnerExceptions.Cast<OptionsValidationException>().SelectMany(inner => inner.Failures));
        }
    }

    private static void AddOptions(WebApplicationBuilder builder)
    {
        var services = builder.Services;
        Bind<SiloOptions>(SiloOptions.Section);
        Bind<ActorHostOptions>(ActorHostOptions.Section);
        Bind<ApprovalOptions>(ApprovalOptions.Section);
        Bind<KindOptions>(KindOptions.Section);
        Bind<WatchOptions>(WatchOptions.Section);
        Bind<DeliveryOptions>(DeliveryOptions.Section);
        Bind<AuditOptions>(AuditOptions.Section);
        services.AddSingleton<IValidateOptions<SiloOptions>, GovernorOptionsValidator>();
        services.AddSingleton<IValidateOptions<ActorHostOptions>, GovernorOptionsValidator>();
        services.AddSingleton<IValidateOptions<ApprovalOptions>, GovernorOptionsValidator>();
        services.AddSingleton<IValidateOptions<KindOptions>, GovernorOptionsValidator>();
        services.AddSingleton<IValidateOptions<WatchOptions>, GovernorOptionsValidator>();
        services.AddSingleton<IValidateOptions<DeliveryOptions>, GovernorOptionsValidator>();
        services.AddSingleton<IValidateOptions<AuditOptions>, AuditOptionsValidator>();

        void Bind<TOptions>(string section)
            where TOptions : class =>
            services.AddOptions<TOptions>().BindConfiguration(section).ValidateOnStart();
    }

    private static void AddParts(WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        var services = builder.Services;
        var journal = configuration["Governor:Journal:ConnectionString"] ?? "";
        var host = configuration.GetSection(ActorHostOptions.Section).Get<ActorHostOptions>() ?? new ActorHostOptions();

        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(s => KindTable.Default.WithAliases(s.GetRequiredService<IOptions<KindOptions>>().Value.AliasSets));
        services.AddJournal(options => configuration.GetSection("Governor:Journal").Bind(options));
        services.AddPackSource(options => configuration.GetSection(RegistryOptions.Section).Bind(options));
        services.AddKubernetes(options =>
        {
            configuration.GetSection(KubernetesOptions.Section).Bind(options);
            options.ManagementName = configuration[$"{SiloOptions.Section}:ManagementCluster"] ?? options.ManagementName;
        });
        services.AddSingleton<ObservationGate>();
        services.AddSingleton<GovernedServices>();
        services.AddSingleton<TenantClusters>();
        services.AddSingleton<IRbacIntake, GuardianIntake>();
        services.AddSingleton<TenantRights>();
        services.AddSingleton<CommittedStates>();
        services.AddSingleton<PermissionKnowledge>();
        services.AddSingleton<PermissionService>();
        services.AddSingleton<AccessReviews>();
        services.AddSingleton<PrometheusText>();
        services.AddSingleton<LogEndpoints>();
        services.AddPublication();
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.Converters.Add(new JsonStringEnumConverter()));
        services.AddOpenApi(options => options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "Governor";
            document.Info.Description = "What the actors have committed about clusters, packs, deliveries, lineage and the audit trail.";
            return Task.CompletedTask;
        }));
        services.AddProblemDetails(options => options.CustomizeProblemDetails = JsonBody.Explain);
        builder.Host.UseOrleans(silo => ActorHost.Configure(silo, host, host.ConnectionString.Length > 0 ? host.ConnectionString : journal));
        // After the actor host: hosted services start in this order, and the starter calls actors.
        services.AddSingleton<Starter>().AddHostedService(s => s.GetRequiredService<Starter>());
        services.AddAdmission();
    }

    private static void MapEndpoints(WebApplication app)
    {
        app.Services.GetRequiredService<PrometheusText>().Start();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseMiddleware<AccessControl>();
        app.MapOpenApi();
        app.MapAdmission();
        app.MapApprovals();
        app.MapErasures();
        app.MapAbandonments();
        app.MapGovernance();
        app.MapPermissions();
        app.MapRelationships();
        app.MapAudit();
        app.MapLog();
        app.MapHealth();
        app.MapPortal();
        app.MapGet("/metrics", (PrometheusText metrics) => Results.Text(metrics.Render(), PrometheusText.ContentType)).ExcludeFromDescription();
    }
}
