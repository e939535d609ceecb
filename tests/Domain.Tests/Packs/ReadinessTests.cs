using Governor.Domain.Packs;

namespace Governor.Domain.Tests.Packs;

public sealed class ReadinessTests
{
    public static TheoryData<string, string, string, string, ReadinessLevel> Cases => new()
    {
        { "a deployment that nobody has looked at", "apps/v1", "Deployment", "{}", ReadinessLevel.InProgress },
        { "a deployment with all replicas", "apps/v1", "Deployment", """{"observedGeneration":1,"replicas":2,"updatedReplicas":2,"availableReplicas":2}""", ReadinessLevel.Ready },
        { "a deployment with one replica missing", "apps/v1", "Deployment", """{"observedGeneration":1,"replicas":2,"updatedReplicas":2,"availableReplicas":1}""", ReadinessLevel.InProgress },
        { "a deployment with old replicas left", "apps/v1", "Deployment", """{"observedGeneration":1,"replicas":3,"updatedReplicas":2,"availableReplicas":2}""", ReadinessLevel.InProgress },
        { "a deployment that gave up", "apps/v1", "Deployment", """{"observedGeneration":1,"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"m"}]}""", ReadinessLevel.Failed },
        { "a deployment whose controller is behind", "apps/v1", "Deployment", """{"observedGeneration":0,"replicas":2,"updatedReplicas":2,"availableReplicas":2}""", ReadinessLevel.InProgress },
        { "a daemon set with no eligible node", "apps/v1", "DaemonSet", """{"observedGeneration":1,"desiredNumberScheduled":0,"numberReady":0}""", ReadinessLevel.Ready },
        { "a daemon set that waits for a node", "apps/v1", "DaemonSet", """{"observedGeneration":1,"desiredNumberScheduled":2,"numberReady":1}""", ReadinessLevel.InProgress },
        { "a job that is done", "batch/v1", "Job", """{"conditions":[{"type":"Complete","status":"True"}]}""", ReadinessLevel.Ready },
        { "a job that failed", "batch/v1", "Job", """{"conditions":[{"type":"Failed","status":"True","reason":"BackoffLimitExceeded","message":"m"}]}""", ReadinessLevel.Failed },
        { "a job that runs", "batch/v1", "Job", "{}", ReadinessLevel.InProgress },
        { "a claim that waits for its first consumer", "v1", "PersistentVolumeClaim", """{"phase":"Pending"}""", ReadinessLevel.Ready },
        { "a claim that lost its volume", "v1", "PersistentVolumeClaim", """{"phase":"Lost"}""", ReadinessLevel.Failed },
        { "a definition that is served", "apiextensions.k8s.io/v1", "CustomResourceDefinition", """{"conditions":[{"type":"Established","status":"True"}]}""", ReadinessLevel.Ready },
        { "a definition that is not served yet", "apiextensions.k8s.io/v1", "CustomResourceDefinition", "{}", ReadinessLevel.InProgress },
        { "a definition whose names are taken", "apiextensions.k8s.io/v1", "CustomResourceDefinition", """{"conditions":[{"type":"NamesAccepted","status":"False","reason":"ListKindConflict"}]}""", ReadinessLevel.Failed },
        { "a pod that runs", "v1", "Pod", """{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}""", ReadinessLevel.Ready },
        { "a pod that crashes", "v1", "Pod", """{"phase":"Running","containerStatuses":[{"name":"c","state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}""", ReadinessLevel.InProgress },
        { "a pod that failed", "v1", "Pod", """{"phase":"Failed","reason":"Evicted"}""", ReadinessLevel.Failed },
        { "a pod that is done", "v1", "Pod", """{"phase":"Succeeded"}""", ReadinessLevel.Ready },
        { "a cron job that never ran", "batch/v1", "CronJob", "{}", ReadinessLevel.Ready },
        { "a disruption budget without pods", "policy/v1", "PodDisruptionBudget", """{"observedGeneration":1,"conditions":[{"type":"DisruptionAllowed","status":"False"}]}""", ReadinessLevel.Ready },
        { "an aggregated API without its server", "apiregistration.k8s.io/v1", "APIService", """{"conditions":[{"type":"Available","status":"False","reason":"MissingEndpoints"}]}""", ReadinessLevel.InProgress },
        { "a stateful set between two revisions", "apps/v1", "StatefulSet", """{"observedGeneration":1,"replicas":2,"readyReplicas":2,"currentRevision":"a","updateRevision":"b"}""", ReadinessLevel.InProgress },
        { "a custom object that is reconciling", "web.example.org/v1", "Site", """{"conditions":[{"type":"Reconciling","status":"True","reason":"R"}]}""", ReadinessLevel.InProgress },
        { "a custom object whose condition is of an older generation", "web.example.org/v1", "Site", """{"conditions":[{"type":"Ready","status":"True","observedGeneration":0}]}""", ReadinessLevel.InProgress },
        { "a custom object without conditions", "web.example.org/v1", "Site", "{}", ReadinessLevel.Ready },
        { "a custom object that is not ready", "web.example.org/v1", "Site", """{"conditions":[{"type":"Ready","status":"False","reason":"R"}]}""", ReadinessLevel.InProgress },
        { "a custom object that is stalled", "web.example.org/v1", "Site", """{"conditions":[{"type":"Stalled","status":"True","reason":"R"}]}""", ReadinessLevel.Failed },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Readiness_is_what_the_controller_says_of_the_current_generation(string what, string apiVersion, string kind, string status, ReadinessLevel expected)
    {
        var item = Make.Json($$"""{"apiVersion":"{{apiVersion}}","kind":"{{kind}}","metadata":{"name":"x","generation":1},"spec":{"replicas":2},"status":{{status}}}""");

        Assert.True(expected == Readiness.Of(item).Level, $"{what}: expected {expected}, found {Readiness.Of(item)}");
    }

    [Theory]
    [InlineData(VolumeBinding.Immediate, "", ReadinessLevel.InProgress)]
    [InlineData(VolumeBinding.FirstConsumer, "", ReadinessLevel.Ready)]
    [InlineData(VolumeBinding.FirstConsumer, ""","annotations":{"volume.kubernetes.io/selected-node":"n"}""", ReadinessLevel.InProgress)]
    public void A_pending_claim_is_waited_for_when_nothing_else_has_to_come_first(VolumeBinding binding, string metadata, ReadinessLevel expected) => Assert.Equal(
        expected,
        Readiness.Of(Make.Json($$$"""{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"x"{{{metadata}}} },"status":{"phase":"Pending"} }"""), binding).Level);

    [Fact]
    public void A_suspended_job_is_as_it_was_asked_to_be() => Assert.Equal(
        ReadinessLevel.Ready, Readiness.Of(Make.Json("""{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"x","generation":1},"spec":{"suspend":true}}""")).Level);

    [Fact]
    public void A_stateful_set_with_no_replicas_is_ready() => Assert.Equal(
        ReadinessLevel.Ready, Readiness.Of(Make.Json("""{"apiVersion":"apps/v1","kind":"StatefulSet","metadata":{"name":"x","generation":1},"spec":{"replicas":0}}""")).Level);
}
