using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces;
using Governor.Sandbox;
using Orleans;

namespace Governor.Sieve.Tests.Support;

/// <summary>Which objects the actors have been shown, and in which state, so that it can be told when they have been shown everything.</summary>
internal sealed class Shown(Life life, Pulse pulse) : IIncomingGrainCallFilter
{
    private readonly Lock _gate = new();
    private readonly Dictionary<(GroupVersionKind, ObjectKey), long> _newest = [];

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        await context.Invoke();
        if (context.MethodName != nameof(IGoverned.ObserveAsync) || context.Request.GetArgument(0) is not Observation { Object: { } item } || life.IsOver)
            return;
        lock (_gate)
        {
            var version = long.Parse(item.ResourceVersion, System.Globalization.CultureInfo.InvariantCulture);
            _newest[(item.Gvk, item.Key)] = version;
        }
        pulse.Beat();
    }

    /// <summary>The writes whose outcome no actor has been shown although one is there for it.</summary>
    public IReadOnlyList<SandboxWrite> Missing(SandboxCluster management)
    {
        lock (_gate)
            return
            [
                .. management.Writes
                    .Where(write => Routes.Of(write.Gvk, write.Key) is not null)
                    .GroupBy(write => (write.Gvk, write.Key))
                    .Select(writes => writes.MaxBy(write => Version(write))!)
                    .Where(write => _newest.GetValueOrDefault((write.Gvk, write.Key)) < Version(write)),
            ];
    }

    private static long Version(SandboxWrite write) => long.Parse(write.ResourceVersion, System.Globalization.CultureInfo.InvariantCulture);
}
