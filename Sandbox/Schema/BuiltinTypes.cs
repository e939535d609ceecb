namespace Governor.Sandbox.Schema;

/// <summary>The fields of the built-in kinds, in the notation of <see cref="BuiltinSchemas"/>.</summary>
internal static class BuiltinTypes
{
    public const string Text = Meta + Core + Pods + Apps + Policy + Rbac + Extensions + Reviews;

    private const string Meta = """
        ObjectMeta: name s, generateName s, namespace s, selfLink s, uid s, resourceVersion s, generation i, creationTimestamp t, deletionTimestamp t, deletionGracePeriodSeconds i, labels {s}, annotations {s}, ownerReferences [OwnerReference! uid], finalizers [s!], managedFields [ManagedFieldsEntry]
        OwnerReference: apiVersion s, kind s, name s, uid s, controller b, blockOwnerDeletion b
        ManagedFieldsEntry: manager s, operation s, apiVersion s, time t, fieldsType s, fieldsV1 *, subresource s
        Condition: type s, status s, observedGeneration i, lastTransitionTime t, lastProbeTime t, lastUpdateTime t, lastHeartbeatTime t, reason s, message s
        LabelSelector: matchLabels {s}, matchExpressions [LabelSelectorRequirement]
        LabelSelectorRequirement: key s, operator s, values [s]
        ObjectReference: kind s, namespace s, name s, uid s, apiVersion s, resourceVersion s, fieldPath s
        LocalObjectReference: name s
        TypedLocalObjectReference: apiGroup s, kind s, name s
        TypedObjectReference: apiGroup s, kind s, name s, namespace s
        PodTemplateSpec: metadata ObjectMeta, spec PodSpec

        """;

    private const string Core = """
        Namespace: spec NamespaceSpec, status NamespaceStatus
        NamespaceSpec: finalizers [s]
        NamespaceStatus: phase s, conditions [Condition type]
        ConfigMap: immutable b, data {s}, binaryData {s}
        Secret: immutable b, data {s}, stringData {s}, type s
        ServiceAccount: secrets [ObjectReference name], imagePullSecrets [LocalObjectReference], automountServiceAccountToken b
        Service: spec ServiceSpec, status ServiceStatus
        ServiceSpec: ports [ServicePort port+protocol], selector {s}!, clusterIP s, clusterIPs [s], type s="ClusterIP", externalIPs [s], sessionAffinity s="None", loadBalancerIP s, loadBalancerSourceRanges [s], externalName s, externalTrafficPolicy s, healthCheckNodePort i, publishNotReadyAddresses b, sessionAffinityConfig *, ipFamilies [s], ipFamilyPolicy s, allocateLoadBalancerNodePorts b, loadBalancerClass s, internalTrafficPolicy s="Cluster"
        ServicePort: name s, protocol s="TCP", appProtocol s, port i, targetPort x, nodePort i
        ServiceStatus: loadBalancer *, conditions [Condition type]
        PersistentVolumeClaim: spec PersistentVolumeClaimSpec, status PersistentVolumeClaimStatus
        PersistentVolumeClaimSpec: accessModes [s], selector LabelSelector!, resources ResourceRequirements, volumeName s, storageClassName s, volumeMode s="Filesystem", dataSource TypedLocalObjectReference!, dataSourceRef TypedObjectReference
        PersistentVolumeClaimStatus: phase s, accessModes [s], capacity {q}, conditions [Condition type], allocatedResources {q}, resizeStatus s
        Event: involvedObject ObjectReference!, reason s, message s, source *, firstTimestamp t, lastTimestamp t, count i, type s, eventTime t, series *, action s, related ObjectReference, reportingComponent s, reportingInstance s
        Node: spec NodeSpec, status *
        NodeSpec: podCIDR s, podCIDRs [s!], providerID s, unschedulable b, taints [Taint], configSource *, externalID s
        Taint: key s, value s, effect s, timeAdded t

        """;

    private const string Pods = """
        Pod: spec PodSpec, status *
        PodSpec: volumes [Volume name], initContainers [Container name], containers [Container name], ephemeralContainers [Container name], restartPolicy s="Always", terminationGracePeriodSeconds i=30, activeDeadlineSeconds i, dnsPolicy s="ClusterFirst", nodeSelector {s}!, serviceAccountName s, serviceAccount s, automountServiceAccountToken b, nodeName s, hostNetwork b, hostPID b, hostIPC b, shareProcessNamespace b, securityContext PodSecurityContext={}, imagePullSecrets [LocalObjectReference name], hostname s, subdomain s, affinity Affinity, schedulerName s="default-scheduler", tolerations [Toleration], hostAliases [HostAlias ip], priorityClassName s, priority i, dnsConfig *, readinessGates [*], runtimeClassName s, enableServiceLinks b, preemptionPolicy s, overhead {q}, topologySpreadConstraints [TopologySpreadConstraint topologyKey+whenUnsatisfiable], setHostnameAsFQDN b, os *, hostUsers b, schedulingGates [SchedulingGate name], resourceClaims [PodResourceClaim name]
        SchedulingGate: name s
        PodResourceClaim: name s, source *
        PodSecurityContext: seLinuxOptions *, windowsOptions *, runAsUser i, runAsGroup i, runAsNonRoot b, supplementalGroups [i], fsGroup i, sysctls [*], fsGroupChangePolicy s, seccompProfile *
        Affinity: nodeAffinity *, podAffinity *, podAntiAffinity *
        Toleration: key s, operator s, value s, effect s, tolerationSeconds i
        HostAlias: ip s, hostnames [s]
        TopologySpreadConstraint: maxSkew i, topologyKey s, whenUnsatisfiable s, labelSelector LabelSelector!, minDomains i, nodeAffinityPolicy s, nodeTaintsPolicy s, matchLabelKeys [s]
        Container: name s, image s, command [s], args [s], workingDir s, ports [ContainerPort containerPort+protocol], envFrom [*], env [EnvVar name], resources ResourceRequirements={}, volumeMounts [VolumeMount mountPath], volumeDevices [VolumeDevice devicePath], livenessProbe Probe, readinessProbe Probe, startupProbe Probe, lifecycle *, terminationMessagePath s="/dev/termination-log", terminationMessagePolicy s="File", imagePullPolicy s, securityContext SecurityContext, stdin b, stdinOnce b, tty b, targetContainerName s, restartPolicy s, resizePolicy [*]
        ContainerPort: name s, hostPort i, containerPort i, protocol s="TCP", hostIP s
        EnvVar: name s, value s, valueFrom EnvVarSource
        EnvVarSource: fieldRef *, resourceFieldRef *, configMapKeyRef *, secretKeyRef *
        ResourceRequirements: limits {q}, requests {q}, claims [LocalObjectReference name]
        VolumeMount: name s, readOnly b, mountPath s, subPath s, mountPropagation s, subPathExpr s
        VolumeDevice: name s, devicePath s
        Probe: exec *, httpGet *, tcpSocket *, grpc *, initialDelaySeconds i, timeoutSeconds i=1, periodSeconds i=10, successThreshold i=1, failureThreshold i=3, terminationGracePeriodSeconds i
        SecurityContext: capabilities Capabilities, privileged b, seLinuxOptions *, windowsOptions *, runAsUser i, runAsGroup i, runAsNonRoot b, readOnlyRootFilesystem b, allowPrivilegeEscalation b, procMount s, seccompProfile *
        Capabilities: add [s], drop [s]
        Volume: name s, hostPath *, emptyDir *, gcePersistentDisk *, awsElasticBlockStore *, gitRepo *, secret *, nfs *, iscsi *, glusterfs *, persistentVolumeClaim *, rbd *, flexVolume *, cinder *, cephfs *, flocker *, downwardAPI *, fc *, azureFile *, configMap *, vsphereVolume *, quobyte *, azureDisk *, photonPersistentDisk *, projected *, portworxVolume *, scaleIO *, storageos *, csi *, ephemeral *

        """;

    private const string Apps = """
        Deployment: spec DeploymentSpec, status WorkloadStatus
        DeploymentSpec: replicas i=1, selector LabelSelector!, template PodTemplateSpec, strategy DeploymentStrategy, minReadySeconds i, revisionHistoryLimit i=10, paused b, progressDeadlineSeconds i=600
        DeploymentStrategy: type s="RollingUpdate", rollingUpdate RollingUpdate
        RollingUpdate: maxUnavailable x, maxSurge x, partition i
        WorkloadStatus: observedGeneration i, replicas i, fullyLabeledReplicas i, updatedReplicas i, readyReplicas i, availableReplicas i, unavailableReplicas i, currentReplicas i, currentRevision s, updateRevision s, collisionCount i, currentNumberScheduled i, numberMisscheduled i, desiredNumberScheduled i, numberReady i, updatedNumberScheduled i, numberAvailable i, numberUnavailable i, conditions [Condition type]
        StatefulSet: spec StatefulSetSpec, status WorkloadStatus
        StatefulSetSpec: replicas i=1, selector LabelSelector!, template PodTemplateSpec, volumeClaimTemplates [VolumeClaimTemplate], serviceName s, podManagementPolicy s="OrderedReady", updateStrategy DeploymentStrategy, revisionHistoryLimit i=10, minReadySeconds i, persistentVolumeClaimRetentionPolicy *, ordinals *
        VolumeClaimTemplate: apiVersion s, kind s, metadata ObjectMeta, spec PersistentVolumeClaimSpec, status PersistentVolumeClaimStatus
        DaemonSet: spec DaemonSetSpec, status WorkloadStatus
        DaemonSetSpec: selector LabelSelector!, template PodTemplateSpec, updateStrategy DeploymentStrategy, minReadySeconds i, revisionHistoryLimit i=10
        ReplicaSet: spec ReplicaSetSpec, status WorkloadStatus
        ReplicaSetSpec: replicas i=1, minReadySeconds i, selector LabelSelector!, template PodTemplateSpec
        Job: spec JobSpec, status JobStatus
        JobSpec: parallelism i=1, completions i=1, activeDeadlineSeconds i, podFailurePolicy *, backoffLimit i=6, selector LabelSelector!, manualSelector b, template PodTemplateSpec, ttlSecondsAfterFinished i, completionMode s="NonIndexed", suspend b=false
        JobStatus: conditions [Condition type], startTime t, completionTime t, active i, succeeded i, failed i, completedIndexes s, uncountedTerminatedPods *, ready i
        CronJob: spec CronJobSpec, status CronJobStatus
        CronJobSpec: schedule s, timeZone s, startingDeadlineSeconds i, concurrencyPolicy s="Allow", suspend b=false, jobTemplate JobTemplateSpec, successfulJobsHistoryLimit i=3, failedJobsHistoryLimit i=1
        JobTemplateSpec: metadata ObjectMeta, spec JobSpec
        CronJobStatus: active [ObjectReference], lastScheduleTime t, lastSuccessfulTime t

        """;

    private const string Policy = """
        PodDisruptionBudget: spec PodDisruptionBudgetSpec, status PodDisruptionBudgetStatus
        PodDisruptionBudgetSpec: minAvailable x, selector LabelSelector!, maxUnavailable x, unhealthyPodEvictionPolicy s
        PodDisruptionBudgetStatus: observedGeneration i, disruptedPods {t}, disruptionsAllowed i, currentHealthy i, desiredHealthy i, expectedPods i, conditions [Condition type]
        NetworkPolicy: spec NetworkPolicySpec, status *
        NetworkPolicySpec: podSelector LabelSelector, ingress [NetworkPolicyIngressRule], egress [NetworkPolicyEgressRule], policyTypes [s]
        NetworkPolicyIngressRule: ports [NetworkPolicyPort], from [NetworkPolicyPeer]
        NetworkPolicyEgressRule: ports [NetworkPolicyPort], to [NetworkPolicyPeer]
        NetworkPolicyPort: protocol s="TCP", port x, endPort i
        NetworkPolicyPeer: podSelector LabelSelector, namespaceSelector LabelSelector, ipBlock IPBlock
        IPBlock: cidr s, except [s]
        Ingress: spec IngressSpec, status *
        IngressSpec: ingressClassName s, defaultBackend *, tls [IngressTls], rules [IngressRule]
        IngressTls: hosts [s], secretName s
        IngressRule: host s, http *
        IngressClass: spec IngressClassSpec
        IngressClassSpec: controller s, parameters *
        StorageClass: provisioner s, parameters {s}, reclaimPolicy s="Delete", mountOptions [s], allowVolumeExpansion b, volumeBindingMode s="Immediate", allowedTopologies [*]
        PriorityClass: value i, globalDefault b, description s, preemptionPolicy s="PreemptLowerPriority"
        Lease: spec LeaseSpec
        LeaseSpec: holderIdentity s, leaseDurationSeconds i, acquireTime t, renewTime t, leaseTransitions i

        """;

    private const string Rbac = """
        Role: rules [PolicyRule]?
        ClusterRole: rules [PolicyRule]?, aggregationRule AggregationRule
        AggregationRule: clusterRoleSelectors [LabelSelector]
        PolicyRule: verbs [s], apiGroups [s], resources [s], resourceNames [s], nonResourceURLs [s]
        RoleBinding: subjects [Subject], roleRef RoleRef!
        ClusterRoleBinding: subjects [Subject], roleRef RoleRef!
        Subject: kind s, apiGroup s, name s, namespace s
        RoleRef: apiGroup s, kind s, name s

        """;

    private const string Extensions = """
        ValidatingWebhookConfiguration: webhooks [Webhook name]
        MutatingWebhookConfiguration: webhooks [MutatingWebhook name]
        Webhook: name s, clientConfig WebhookClientConfig, rules [WebhookRule], failurePolicy s="Fail", matchPolicy s="Equivalent", namespaceSelector LabelSelector!={}, objectSelector LabelSelector!={}, sideEffects s, timeoutSeconds i=10, admissionReviewVersions [s]
        MutatingWebhook: name s, clientConfig WebhookClientConfig, rules [WebhookRule], failurePolicy s="Fail", matchPolicy s="Equivalent", namespaceSelector LabelSelector!={}, objectSelector LabelSelector!={}, sideEffects s, timeoutSeconds i=10, admissionReviewVersions [s], reinvocationPolicy s="Never"
        WebhookRule: operations [s], apiGroups [s], apiVersions [s], resources [s], scope s="*"
        WebhookClientConfig: url s, service WebhookService, caBundle s
        WebhookService: namespace s, name s, path s, port i=443
        CustomResourceDefinition: spec CustomResourceDefinitionSpec, status CustomResourceDefinitionStatus
        CustomResourceDefinitionSpec: group s, names CustomResourceDefinitionNames, scope s, versions [CustomResourceDefinitionVersion], conversion CustomResourceConversion, preserveUnknownFields b
        CustomResourceDefinitionNames: plural s, singular s, shortNames [s], kind s, listKind s, categories [s]
        CustomResourceDefinitionVersion: name s, served b, storage b, deprecated b, deprecationWarning s, schema *, subresources *, additionalPrinterColumns [PrinterColumn]
        PrinterColumn: name s, type s, format s, description s, priority i, jsonPath s
        CustomResourceConversion: strategy s, webhook *
        CustomResourceDefinitionStatus: conditions [Condition type]?, acceptedNames CustomResourceDefinitionNames, storedVersions [s]

        """;

    private const string Reviews = """
        TokenRequest: spec TokenRequestSpec, status *
        TokenRequestSpec: audiences [s], expirationSeconds i, boundObjectRef ObjectReference
        TokenReview: spec TokenReviewSpec, status *
        TokenReviewSpec: token s, audiences [s]
        SelfSubjectAccessReview: spec AccessReviewSpec, status *
        SubjectAccessReview: spec AccessReviewSpec, status *
        LocalSubjectAccessReview: spec AccessReviewSpec, status *
        AccessReviewSpec: resourceAttributes ResourceAttributes, nonResourceAttributes NonResourceAttributes, user s, groups [s], extra *, uid s
        ResourceAttributes: namespace s, verb s, group s, version s, resource s, subresource s, name s
        NonResourceAttributes: path s, verb s
        SelfSubjectRulesReview: spec SelfSubjectRulesReviewSpec, status *
        SelfSubjectRulesReviewSpec: namespace s
        Eviction: deleteOptions *
        Scale: spec ScaleSpec, status ScaleStatus
        ScaleSpec: replicas i
        ScaleStatus: replicas i, selector s
        """;
}
