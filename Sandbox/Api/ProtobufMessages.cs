namespace Governor.Sandbox.Api;

/// <summary>
/// The messages that kubectl sends, by field number: <c>s</c> text, <c>i</c> integer, <c>b</c> flag, <c>x</c> integer or string, <c>map</c>,
/// <c>bytemap</c>, a message, <c>*</c> many of them; with <c>?</c> zero is absence, <c>-</c> is skipped, <c>.</c> as a name is embedded.
/// </summary>
internal static class ProtobufMessages
{
    public const string Text = """
        Envelope: 1 typeMeta TypeMeta, 2 raw bytes
        TypeMeta: 1 apiVersion s, 2 kind s
        ObjectMeta: 1 name s, 2 generateName s, 3 namespace s, 4 selfLink s, 5 uid s, 6 resourceVersion s, 7 generation i?, 8 creationTimestamp -, 11 labels map, 12 annotations map, 14 finalizers s*
        LabelSelector: 1 matchLabels map, 2 matchExpressions LabelSelectorRequirement*
        LabelSelectorRequirement: 1 key s, 2 operator s, 3 values s*
        IntOrString: 1 type i, 2 intVal i, 3 strVal s
        Namespace: 1 metadata ObjectMeta, 2 spec NamespaceSpec, 3 status -
        NamespaceSpec: 1 finalizers s*
        ConfigMap: 1 metadata ObjectMeta, 2 data map, 3 binaryData bytemap, 4 immutable b
        Secret: 1 metadata ObjectMeta, 2 data bytemap, 3 type s, 4 stringData map, 5 immutable b
        ServiceAccount: 1 metadata ObjectMeta, 4 automountServiceAccountToken b
        Service: 1 metadata ObjectMeta, 2 spec ServiceSpec, 3 status -
        ServiceSpec: 1 ports ServicePort*, 2 selector map, 3 clusterIP s, 4 type s, 5 externalIPs s*, 7 sessionAffinity s, 8 loadBalancerIP s, 10 externalName s, 11 externalTrafficPolicy s, 12 healthCheckNodePort i?, 13 publishNotReadyAddresses b?, 18 clusterIPs s*
        ServicePort: 1 name s, 2 protocol s, 3 port i, 4 targetPort x, 5 nodePort i?, 6 appProtocol s
        Ingress: 1 metadata ObjectMeta, 2 spec IngressSpec, 3 status -
        IngressSpec: 1 defaultBackend IngressBackend, 2 tls IngressTls*, 3 rules IngressRule*, 4 ingressClassName s
        IngressTls: 1 hosts s*, 2 secretName s
        IngressRule: 1 host s, 2 . IngressRuleValue
        IngressRuleValue: 1 http HttpIngressRuleValue
        HttpIngressRuleValue: 1 paths HttpIngressPath*
        HttpIngressPath: 1 path s, 2 backend IngressBackend, 3 pathType s
        IngressBackend: 4 service IngressServiceBackend
        IngressServiceBackend: 1 name s, 2 port ServiceBackendPort
        ServiceBackendPort: 1 name s, 2 number i?
        Deployment: 1 metadata ObjectMeta, 2 spec DeploymentSpec, 3 status -
        DeploymentSpec: 1 replicas i, 2 selector LabelSelector, 3 template PodTemplateSpec, 4 strategy DeploymentStrategy, 5 minReadySeconds i?, 6 revisionHistoryLimit i, 7 paused b?, 9 progressDeadlineSeconds i
        DeploymentStrategy: 1 type s, 2 rollingUpdate RollingUpdate
        RollingUpdate: 1 maxUnavailable x, 2 maxSurge x
        PodTemplateSpec: 1 metadata ObjectMeta, 2 spec PodSpec
        PodSpec: 2 containers Container*, 3 restartPolicy s, 4 terminationGracePeriodSeconds i, 6 dnsPolicy s, 7 nodeSelector map, 8 serviceAccountName s, 9 serviceAccount s, 10 nodeName s, 11 hostNetwork b?, 12 hostPID b?, 13 hostIPC b?, 16 hostname s, 17 subdomain s, 19 schedulerName s, 24 priorityClassName s
        Container: 1 name s, 2 image s, 3 command s*, 4 args s*, 5 workingDir s, 6 ports ContainerPort*, 7 env EnvVar*, 8 resources -, 13 terminationMessagePath s, 14 imagePullPolicy s, 16 stdin b?, 17 stdinOnce b?, 18 tty b?, 20 terminationMessagePolicy s
        ContainerPort: 1 name s, 2 hostPort i?, 3 containerPort i, 4 protocol s, 5 hostIP s
        EnvVar: 1 name s, 2 value s
        Job: 1 metadata ObjectMeta, 2 spec JobSpec, 3 status -
        JobSpec: 1 parallelism i, 2 completions i, 3 activeDeadlineSeconds i, 4 selector LabelSelector, 5 manualSelector b, 6 template PodTemplateSpec, 7 backoffLimit i, 8 ttlSecondsAfterFinished i, 9 completionMode s, 10 suspend b
        CronJob: 1 metadata ObjectMeta, 2 spec CronJobSpec, 3 status -
        CronJobSpec: 1 schedule s, 2 startingDeadlineSeconds i, 3 concurrencyPolicy s, 4 suspend b, 5 jobTemplate JobTemplateSpec, 6 successfulJobsHistoryLimit i, 7 failedJobsHistoryLimit i, 8 timeZone s
        JobTemplateSpec: 1 metadata ObjectMeta, 2 spec JobSpec
        PodDisruptionBudget: 1 metadata ObjectMeta, 2 spec PodDisruptionBudgetSpec, 3 status -
        PodDisruptionBudgetSpec: 1 minAvailable x, 2 selector LabelSelector, 3 maxUnavailable x, 4 unhealthyPodEvictionPolicy s
        PriorityClass: 1 metadata ObjectMeta, 2 value i, 3 globalDefault b?, 4 description s, 5 preemptionPolicy s
        Role: 1 metadata ObjectMeta, 2 rules PolicyRule*
        ClusterRole: 1 metadata ObjectMeta, 2 rules PolicyRule*, 3 aggregationRule AggregationRule
        AggregationRule: 1 clusterRoleSelectors LabelSelector*
        PolicyRule: 1 verbs s*, 2 apiGroups s*, 3 resources s*, 4 resourceNames s*, 5 nonResourceURLs s*
        RoleBinding: 1 metadata ObjectMeta, 2 subjects Subject*, 3 roleRef RoleRef
        ClusterRoleBinding: 1 metadata ObjectMeta, 2 subjects Subject*, 3 roleRef RoleRef
        Subject: 1 kind s, 2 apiGroup s, 3 name s, 4 namespace s
        RoleRef: 1 apiGroup s, 2 kind s, 3 name s
        TokenRequest: 1 metadata ObjectMeta, 2 spec TokenRequestSpec, 3 status -
        TokenRequestSpec: 1 audiences s*, 3 boundObjectRef BoundObjectReference, 4 expirationSeconds i
        BoundObjectReference: 1 kind s, 2 apiVersion s, 3 name s, 4 uid s
        SelfSubjectAccessReview: 1 metadata ObjectMeta, 2 spec SelfSubjectAccessReviewSpec, 3 status -
        SelfSubjectAccessReviewSpec: 1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes
        SubjectAccessReview: 1 metadata ObjectMeta, 2 spec SubjectAccessReviewSpec, 3 status -
        SubjectAccessReviewSpec: 1 resourceAttributes ResourceAttributes, 2 nonResourceAttributes NonResourceAttributes, 3 user s, 4 groups s*
        ResourceAttributes: 1 namespace s, 2 verb s, 3 group s, 4 version s, 5 resource s, 6 subresource s, 7 name s
        NonResourceAttributes: 1 path s, 2 verb s
        SelfSubjectRulesReview: 1 metadata ObjectMeta, 2 spec SelfSubjectRulesReviewSpec, 3 status -
        SelfSubjectRulesReviewSpec: 1 namespace s
        DeleteOptions: 1 gracePeriodSeconds i, 2 preconditions Preconditions, 3 orphanDependents b, 4 propagationPolicy s, 5 dryRun s*
        Preconditions: 1 uid s, 2 resourceVersion s
        """;
}
