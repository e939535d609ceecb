using Governor.Domain.Audit;

namespace Governor.Domain.Tests.Audit;

public sealed class EventContextTests
{
    private static readonly EventContext Context = new(
        new EventSubject("infra.ontai.dev", "ClusterPack", "ns", "web", "uid", 1), "who\0ever", "wrapper", "", "", "");

    [Fact]
    public void Texts_that_others_wrote_can_always_be_stored()
    {
        var made = Context.Operational(DateTimeOffset.UnixEpoch, "pack.observed", "$.status", "a\u0007b", null, "line\nline\t\ud800 ü \U0001F600");

        Assert.Equal("who\uFFFDever", made.Actor);
        Assert.Equal("a\uFFFDb", made.PreviousValue);
        Assert.Null(made.NewValue);
        Assert.Equal("line line \uFFFD ü \U0001F600", made.Rationale);
    }
}
