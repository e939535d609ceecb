using Xunit.Abstractions;
using Xunit.Sdk;

namespace Governor.Client.Tests.Support;

/// <summary>A test that says which promise of Kubernetes it holds the server to; its name in reports ends with it.</summary>
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("Governor.Client.Tests.Support.ReliesOnDiscoverer", "Governor.Client.Tests")]
public sealed class ReliesOnAttribute(string promise) : FactAttribute
{
    public string Promise => promise;
}

/// <summary>The server itself has said that it lacks what the test is about. The test then counts as skipped, with these words as reason.</summary>
public sealed class LackingException(string said) : Exception(said);

public sealed class ReliesOnDiscoverer(IMessageSink diagnostics) : IXunitTestCaseDiscoverer
{
    public IEnumerable<IXunitTestCase> Discover(ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        [new ReliesOnTestCase(diagnostics, discoveryOptions.MethodDisplayOrDefault(), discoveryOptions.MethodDisplayOptionsOrDefault(), testMethod)];
}

public sealed class ReliesOnTestCase : XunitTestCase
{
    /// <summary>A file to which is written which tests the server lacks something for, and what it said.</summary>
    public const string LackingVariable = "GOVERNOR_CONFORMANCE_LACKING";

    [Obsolete("For deserialization only.")]
    public ReliesOnTestCase()
    {
    }

    public ReliesOnTestCase(IMessageSink diagnostics, TestMethodDisplay display, TestMethodDisplayOptions options, ITestMethod method)
        : base(diagnostics, display, options, method)
    {
    }

    public override async Task<RunSummary> RunAsync(
        IMessageSink diagnosticMessageSink, IMessageBus messageBus, object[] constructorArguments, ExceptionAggregator aggregator,
        CancellationTokenSource cancellationTokenSource)
    {
        using var bus = new LackingBus(messageBus);
        var summary = await base.RunAsync(diagnosticMessageSink, bus, constructorArguments, aggregator, cancellationTokenSource);
        summary.Failed -= bus.Lacking;
        summary.Skipped += bus.Lacking;
        return summary;
    }

    protected override string GetDisplayName(IAttributeInfo factAttribute, string displayName) =>
        $"{base.GetDisplayName(factAttribute, displayName)} [relies on {factAttribute.GetNamedArgument<string>(nameof(ReliesOnAttribute.Promise))}]";

    /// <summary>Turns "the server says that it lacks this" from a failure into a skipped test with its reason.</summary>
    private sealed class LackingBus(IMessageBus inner) : IMessageBus
    {
        public int Lacking { get; private set; }

        public bool QueueMessage(IMessageSinkMessage message)
        {
            if (message is not ITestFailed failed || failed.ExceptionTypes.FirstOrDefault() != typeof(LackingException).FullName)
                return inner.QueueMessage(message);
            Lacking++;
            if (Environment.GetEnvironmentVariable(LackingVariable) is { Length: > 0 } report) // test runners print the names of skipped tests, and not why
                File.AppendAllText(report, $"{failed.TestMethod.Method.Name}: {failed.Messages[0]}\n");
            return inner.QueueMessage(new TestSkipped(failed.Test, failed.Messages[0]));
        }

        public void Dispose()
        {
        }
    }
}
