using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Kinds.Schemas;

namespace Governor.Domain.Admission;

/// <summary>Makes <c>deploy/admission</c> from <see cref="Webhooks"/>. The same input gives the same bytes.</summary>
public static class AdmissionManifests
{
    public const string Namespace = "seam-system";
    public const string ServiceName = "governor-webhook";

    /// <summary>The Secret that all silos keep their webhook CA in.</summary>
    public const string AuthoritySecret = "governor-webhook-ca";

    /// <summary>The name of both configurations.</summary>
    public const string ConfigurationName = "governor";

    public static GroupVersionKind Validating { get; } = new("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration");
    public static GroupVersionKind Mutating { get; } = new("admissionregistration.k8s.io", "v1", "MutatingWebhookConfiguration");

    private const string Notice = "# Generated from Domain/Admission. Do not edit: change the description there and regenerate.\n";

    /// <summary>The files, sorted by name.</summary>
    public static ImmutableArray<GeneratedFile> All() =>
    [
        File("mutating.yaml", "# The CA bundle is the silo's to write: applying this again leaves it as it is.\n", Configuration(Mutating)),
        File("service.yaml",
            "# What the API server calls, and the Secret that the silos keep their CA in: made empty, so that no silo needs the right to make Secrets.\n",
            Service(), Secret()),
        File("validating.yaml", "# The CA bundle is the silo's to write: applying this again leaves it as it is.\n", Configuration(Validating)),
    ];

    /// <summary>The same as objects, ready to be applied.</summary>
    public static ImmutableArray<KubeObject> Objects() =>
        [KubeObject.From(Service()), KubeObject.From(Secret()), KubeObject.From(Configuration(Mutating)), KubeObject.From(Configuration(Validating))];

    /// <summary>The webhooks of one of the two configurations.</summary>
    public static IEnumerable<WebhookDescription> Of(GroupVersionKind configuration) => Webhooks.All.Where(webhook => webhook.IsMutating == (configuration == Mutating));

    private static JsonObject Configuration(GroupVersionKind kind) => new()
    {
        ["apiVersion"] = kind.ApiVersion,
        ["kind"] = kind.Kind,
        ["metadata"] = new JsonObject { ["name"] = ConfigurationName },
        ["webhooks"] = new JsonArray([.. Of(kind).Select(webhook => webhook.ToJson())]),
    };

    private static JsonObject Service() => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Service",
        ["metadata"] = new JsonObject { ["name"] = ServiceName, ["namespace"] = Namespace },
        ["spec"] = new JsonObject
        {
            ["selector"] = new JsonObject { ["app.kubernetes.io/name"] = "governor-silo" },
            ["ports"] = new JsonArray(new JsonObject { ["name"] = "webhook", ["port"] = 443, ["targetPort"] = 9443 }),
        },
    };

    private static JsonObject Secret() => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = new JsonObject { ["name"] = AuthoritySecret, ["namespace"] = Namespace },
        ["type"] = "Opaque",
    };

    private static GeneratedFile File(string name, string says, params ReadOnlySpan<JsonObject> documents)
    {
        var texts = new List<string>();
        foreach (var document in documents)
            texts.Add(YamlText.Of(document));
        return new GeneratedFile(name, Notice + says + string.Join("---\n", texts));
    }
}
