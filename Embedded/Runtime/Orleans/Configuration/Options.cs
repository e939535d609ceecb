using System.Diagnostics;

namespace Orleans.Configuration
{
    /// <summary>How calls are made.</summary>
    public abstract class MessagingOptions
    {
        private TimeSpan responseTimeout = TimeSpan.FromSeconds(30);

        /// <summary>How long a caller waits before it gets a <see cref="TimeoutException"/>; the callee goes on. Default: 30 s.</summary>
        public TimeSpan ResponseTimeout
        {
            get => Debugger.IsAttached ? ResponseTimeoutWithDebugger : responseTimeout;
            set => responseTimeout = value;
        }

        /// <summary>The same under a debugger. Default: 30 min.</summary>
        public TimeSpan ResponseTimeoutWithDebugger { get; set; } = TimeSpan.FromMinutes(30);

        /// <summary>Whether a timeout cancels the token that the callee was given. Default: no.</summary>
        public bool CancelRequestOnTimeout { get; set; }
    }

    /// <inheritdoc cref="MessagingOptions"/>
    public class SiloMessagingOptions : MessagingOptions
    {
        /// <summary>
        /// How many requests one activation may have before it refuses more with <see cref="Orleans.Runtime.LimitExceededException"/>.
        /// Default: 0, no limit.
        /// </summary>
        public int MaxEnqueuedRequestsHardLimit { get; set; }
    }

    /// <summary>How long activations stay in memory.</summary>
    public class GrainCollectionOptions
    {
        /// <summary>How long an activation may be idle. Default: 15 min.</summary>
        public TimeSpan CollectionAge { get; set; } = TimeSpan.FromMinutes(15);

        /// <summary>How often idle activations are looked for; must be less than the age. Default: 1 min.</summary>
        public TimeSpan CollectionQuantum { get; set; } = TimeSpan.FromMinutes(1);

        /// <summary>How long activating may take. Default: 30 s.</summary>
        public TimeSpan ActivationTimeout { get; set; } = TimeSpan.FromSeconds(30);

        /// <summary>How long <c>OnDeactivateAsync</c> may take. Default: 30 s.</summary>
        public TimeSpan DeactivationTimeout { get; set; } = TimeSpan.FromSeconds(30);

        /// <summary>Ages of single grain classes, by the full name of the class.</summary>
        public Dictionary<string, TimeSpan> ClassSpecificCollectionAge { get; set; } = [];
    }

    /// <summary>Whose silo this is.</summary>
    public class ClusterOptions
    {
        public string ClusterId { get; set; } = "default";

        /// <summary>Part of the key of everything stored.</summary>
        public string ServiceId { get; set; } = "default";
    }

    /// <summary>The silo's own name.</summary>
    public class SiloOptions
    {
        public string SiloName { get; set; } = "";
    }

    /// <summary>Memory grain storage; nothing to choose.</summary>
    public class MemoryGrainStorageOptions;

    /// <summary>Grain storage in a database.</summary>
    public class AdoNetGrainStorageOptions
    {
        /// <summary>The embedded host serves <c>Npgsql</c> only.</summary>
        public string Invariant { get; set; } = "Npgsql";

        public string? ConnectionString { get; set; }

        /// <summary>Whether clearing deletes the row, or keeps it empty with its version. Default: keeps it.</summary>
        public bool DeleteStateOnClear { get; set; }
    }

    /// <summary>Reminders in a database.</summary>
    public class AdoNetReminderTableOptions
    {
        /// <summary>The embedded host serves <c>Npgsql</c> only.</summary>
        public string Invariant { get; set; } = "Npgsql";

        public string? ConnectionString { get; set; }
    }
}

namespace Orleans.Hosting
{
    /// <summary>How reminders work.</summary>
    public sealed class ReminderOptions
    {
        /// <summary>The shortest period. Default: 1 min.</summary>
        public TimeSpan MinimumReminderPeriod { get; set; } = TimeSpan.FromMinutes(1);
    }
}
