using Governor.Embedded.Runtime.Activations;
using Governor.Embedded.Runtime.Reminders;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Runtime;

namespace Orleans;

/// <summary>Reminders outlive activations and the process: a tick activates the grain.</summary>
public static class GrainReminderExtensions
{
    /// <param name="grain">A grain that implements <see cref="IRemindable"/>.</param>
    /// <param name="reminderName">Unique within the grain; registering it again replaces it.</param>
    /// <param name="dueTime">
    /// Time to the first tick, zero or more. A first tick that is already due when it has been stored counts as missed, so zero means
    /// after one period, as on Orleans.
    /// </param>
    /// <param name="period">Time between ticks; at least <c>ReminderOptions.MinimumReminderPeriod</c>.</param>
    public static Task<IGrainReminder> RegisterOrUpdateReminder(this IGrainBase grain, string reminderName, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(grain);
        if (grain is not IRemindable)
            throw new InvalidOperationException($"{grain.GrainContext.GrainId} is not {nameof(IRemindable)}, so it cannot be reminded.");
        return ServiceOf(grain).RegisterAsync(grain.GrainContext.GrainId, reminderName, dueTime, period);
    }

    public static Task<IGrainReminder> RegisterOrUpdateReminder(this Grain grain, string reminderName, TimeSpan dueTime, TimeSpan period) =>
        RegisterOrUpdateReminder((IGrainBase)grain, reminderName, dueTime, period);

    /// <exception cref="ReminderException">The reminder was changed or removed since the handle was made.</exception>
    public static Task UnregisterReminder(this IGrainBase grain, IGrainReminder reminder) => ServiceOf(grain).UnregisterAsync(reminder);

    public static Task UnregisterReminder(this Grain grain, IGrainReminder reminder) => UnregisterReminder((IGrainBase)grain, reminder);

    public static Task<IGrainReminder?> GetReminder(this IGrainBase grain, string reminderName) =>
        ServiceOf(grain).GetAsync(grain.GrainContext.GrainId, reminderName);

    public static Task<IGrainReminder?> GetReminder(this Grain grain, string reminderName) => GetReminder((IGrainBase)grain, reminderName);

    public static Task<List<IGrainReminder>> GetReminders(this IGrainBase grain) => ServiceOf(grain).GetAllAsync(grain.GrainContext.GrainId);

    public static Task<List<IGrainReminder>> GetReminders(this Grain grain) => GetReminders((IGrainBase)grain);

    private static ReminderService ServiceOf(IGrainBase grain) =>
        Activation.Of(grain.GrainContext).Silo.Services.GetService<ReminderService>()
        ?? throw new OrleansConfigurationException("No reminder service is configured; call UseInMemoryReminderService or UseAdoNetReminderService.");
}
