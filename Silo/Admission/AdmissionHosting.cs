using Microsoft.Extensions.Options;

namespace Governor.Silo.Admission;

internal static class AdmissionHosting
{
    /// <summary>After the actor host: what is hosted starts in this order and stops in the other, so nobody is listened to whose refusal could not be recorded.</summary>
    public static void AddAdmission(this IServiceCollection services)
    {
        services.AddOptions<AdmissionOptions>().BindConfiguration(AdmissionOptions.Section).ValidateOnStart();
        services.AddSingleton<IValidateOptions<AdmissionOptions>, AdmissionOptionsValidator>();
        services.AddSingleton<ConfiguredPolicy>();
        services.AddSingleton<BootstrapReading>();
        services.AddSingleton<AdmissionMetrics>();
        services.AddSingleton<ServingCertificate>();
        services.AddSingleton<AdmissionEndpoint>();
        services.AddSingleton<RefusalRecorder>().AddHostedService(s => s.GetRequiredService<RefusalRecorder>());
        services.AddHostedService<AuthorityKeeper>();
        services.AddSingleton<AdmissionListener>().AddHostedService(s => s.GetRequiredService<AdmissionListener>());
    }
}
