namespace Orleans.Runtime
{
    /// <summary>An error of the actor host.</summary>
    public class OrleansException : Exception
    {
        public OrleansException()
        {
        }

        public OrleansException(string message)
            : base(message)
        {
        }

        public OrleansException(string message, Exception? innerException)
            : base(message, innerException)
        {
        }
    }

    /// <summary>The configuration of the actor host is wrong.</summary>
    public sealed class OrleansConfigurationException(string message) : OrleansException(message);

    /// <summary>A queue is as long as it may be.</summary>
    public sealed class LimitExceededException(string message) : OrleansException(message);

    /// <summary>A request could not be delivered.</summary>
    public class OrleansMessageRejectionException : OrleansException
    {
        internal OrleansMessageRejectionException(string message)
            : base(message)
        {
        }
    }

    /// <summary>The silo is stopping or has stopped.</summary>
    public sealed class SiloUnavailableException(string msg) : OrleansMessageRejectionException(msg);

    /// <summary>A reminder could not be stored or found.</summary>
    public sealed class ReminderException(string message) : OrleansException(message);
}

namespace Orleans.Storage
{
    /// <summary>What is stored is not what the writer last read: somebody else wrote.</summary>
    public class InconsistentStateException : Orleans.Runtime.OrleansException
    {
        public InconsistentStateException(string message)
            : base(message)
        {
        }

        public InconsistentStateException(string errorMsg, string? storedEtag, string? currentEtag)
            : this(errorMsg, storedEtag, currentEtag, null)
        {
        }

        public InconsistentStateException(string errorMsg, string? storedEtag, string? currentEtag, Exception? storageException)
            : base($"{errorMsg} Expected etag: {currentEtag ?? "none"}. Stored etag: {storedEtag ?? "none"}.", storageException)
        {
            StoredEtag = storedEtag;
            CurrentEtag = currentEtag;
        }

        public string? StoredEtag { get; }

        public string? CurrentEtag { get; }

        /// <summary>True until the activation whose write failed has been told to end; callers further up are not at fault.</summary>
        internal bool IsSourceActivation { get; set; } = true;
    }

    /// <summary>A storage provider is missing or wrongly configured.</summary>
    public sealed class BadProviderConfigException(string msg) : Orleans.Runtime.OrleansException(msg);
}
