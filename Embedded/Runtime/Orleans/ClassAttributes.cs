using System.Globalization;
using Orleans.Runtime;

namespace Orleans
{
    /// <summary>The grain type's name, in place of the one made from the class name.</summary>
    [AttributeUsage(AttributeTargets.Class)]
    public sealed class GrainTypeAttribute(string grainType) : Attribute
    {
        internal GrainType GrainType { get; } = GrainType.Create(grainType);
    }

    /// <summary>Activations of this class are not collected when idle.</summary>
    [AttributeUsage(AttributeTargets.Class)]
    public sealed class KeepAliveAttribute : Attribute;

    /// <summary>How long activations of this class may be idle before they are collected.</summary>
    [AttributeUsage(AttributeTargets.Class)]
    public sealed class CollectionAgeLimitAttribute : Attribute
    {
        public static readonly TimeSpan MinAgeLimit = TimeSpan.FromMinutes(1);

        private readonly TimeSpan? inactivityPeriod;

        public CollectionAgeLimitAttribute()
        {
        }

        public CollectionAgeLimitAttribute(string inactivityPeriod) =>
            this.inactivityPeriod = TimeSpan.Parse(inactivityPeriod, CultureInfo.InvariantCulture);

        public double Days { private get; set; }

        public double Hours { private get; set; }

        public double Minutes { private get; set; }

        public bool AlwaysActive { get; set; }

        public TimeSpan AgeLimit
        {
            get
            {
                if (AlwaysActive)
                    return Timeout.InfiniteTimeSpan;
                var limit = inactivityPeriod ?? TimeSpan.FromDays(Days) + TimeSpan.FromHours(Hours) + TimeSpan.FromMinutes(Minutes);
                return limit < MinAgeLimit ? MinAgeLimit : limit;
            }
        }
    }
}

namespace Orleans.Metadata
{
    /// <summary>Which grain type serves an interface that several classes implement.</summary>
    [AttributeUsage(AttributeTargets.Interface)]
    public sealed class DefaultGrainTypeAttribute(string grainType) : Attribute
    {
        internal GrainType GrainType { get; } = GrainType.Create(grainType);
    }
}
