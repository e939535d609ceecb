using Orleans.Runtime;

namespace Orleans
{
    /// <summary>A grain that can be reminded.</summary>
    public interface IRemindable : IGrain
    {
        Task ReceiveReminder(string reminderName, TickStatus status);
    }

    /// <summary>Where reminders are kept. Register another one as a service to replace the host's own.</summary>
    public interface IReminderTable
    {
        Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

        Task<ReminderTableData> ReadRows(GrainId grainId);

        /// <summary>The rows whose grain's hash is in the range; the embedded host owns every hash and asks for (0, 0), which is all.</summary>
        Task<ReminderTableData> ReadRows(uint begin, uint end);

        Task<ReminderEntry?> ReadRow(GrainId grainId, string reminderName);

        /// <returns>The etag of the row as written.</returns>
        Task<string?> UpsertRow(ReminderEntry entry);

        /// <returns>False when the row is not there or has another etag.</returns>
        Task<bool> RemoveRow(GrainId grainId, string reminderName, string eTag);

        Task TestOnlyClearTable();

        Task StopAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;
    }

    /// <summary>A reminder as it is kept.</summary>
    [GenerateSerializer]
    public sealed class ReminderEntry
    {
        [Id(0)]
        public GrainId GrainId { get; set; }

        [Id(1)]
        public string ReminderName { get; set; } = "";

        /// <summary>When the first tick is or was due, in UTC.</summary>
        [Id(2)]
        public DateTime StartAt { get; set; }

        [Id(3)]
        public TimeSpan Period { get; set; }

        [Id(4)]
        public string? ETag { get; set; }

        public override string ToString() => $"{GrainId} {ReminderName} from {StartAt:O} every {Period}";
    }

    /// <summary>Reminders read together.</summary>
    [GenerateSerializer]
    public sealed class ReminderTableData
    {
        public ReminderTableData()
        {
        }

        public ReminderTableData(ReminderEntry entry) => Reminders = [entry];

        public ReminderTableData(IEnumerable<ReminderEntry> list) => Reminders = [.. list];

        [Id(0)]
        public IList<ReminderEntry> Reminders { get; } = [];
    }
}

namespace Orleans.Runtime
{
    /// <summary>A handle to a registered reminder; it may be outdated, ask again before unregistering.</summary>
    public interface IGrainReminder
    {
        string ReminderName { get; }
    }

    /// <summary>Which tick this is.</summary>
    [GenerateSerializer]
    [Immutable]
    public readonly struct TickStatus(DateTime firstTickTime, TimeSpan period, DateTime timeStamp)
    {
        /// <summary>When the first tick was due, in UTC.</summary>
        [Id(0)]
        public DateTime FirstTickTime { get; } = firstTickTime;

        [Id(1)]
        public TimeSpan Period { get; } = period;

        /// <summary>When this tick was sent, in UTC.</summary>
        [Id(2)]
        public DateTime CurrentTickTime { get; } = timeStamp;

        public override string ToString() => $"<{FirstTickTime:O}, {Period}, {CurrentTickTime:O}>";
    }
}
