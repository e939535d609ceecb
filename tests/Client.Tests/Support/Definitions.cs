using System.Text.Json.Nodes;

namespace Governor.Client.Tests.Support;

/// <summary>The kinds that the tests bring along, in a group of this run alone.</summary>
internal static class Definitions
{
    /// <summary>Namespaced, with every rule of a structural schema that the product's own kinds use, status, scale and printer columns.</summary>
    public static JsonObject Gear(string group, string label) => Definition(group, label, "Gear", "gears", "Namespaced", GearSchema, """
        "subresources":{"status":{},"scale":{"specReplicasPath":".spec.replicas","statusReplicasPath":".status.replicas"}},
        "additionalPrinterColumns":[
          {"name":"Size","type":"integer","jsonPath":".spec.size"},
          {"name":"Ready","type":"string","jsonPath":".status.conditions[?(@.type==\"Ready\")].status"},
          {"name":"Note","type":"string","jsonPath":".spec.note","priority":1},
          {"name":"Age","type":"date","jsonPath":".metadata.creationTimestamp"}],
        """);

    /// <summary>Cluster-scoped, with no subresource.</summary>
    public static JsonObject Axle(string group, string label) => Definition(group, label, "Axle", "axles", "Cluster", """
        {"type":"object","properties":{"spec":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}
        """, "");

    /// <summary>One that a test makes for itself, to change it or to delete it.</summary>
    public static JsonObject Passing(string group, string label, string kind) => Definition(
        group, label, kind, kind.ToLowerInvariant() + "s", "Namespaced", """
        {"type":"object","properties":{"spec":{"type":"object","properties":{"size":{"type":"integer"}}}}}
        """, "");

    private static JsonObject Definition(string group, string label, string kind, string plural, string scope, string schema, string more) =>
        JsonNode.Parse($$$"""
            {"apiVersion":"apiextensions.k8s.io/v1","kind":"CustomResourceDefinition",
             "metadata":{"name":"{{{plural}}}.{{{group}}}","labels":{"{{{Target.RunLabel}}}":"{{{label}}}"}},
             "spec":{"group":"{{{group}}}","scope":"{{{scope}}}",
              "names":{"plural":"{{{plural}}}","singular":"{{{kind.ToLowerInvariant()}}}","kind":"{{{kind}}}","listKind":"{{{kind}}}List","shortNames":["{{{kind.ToLowerInvariant()[..2]}}}"],"categories":["conformance"]},
              "versions":[{"name":"v1","served":true,"storage":true,{{{more}}}"schema":{"openAPIV3Schema":{{{schema}}}}}]}}
            """)!.AsObject();

    private const string GearSchema = """
        {"type":"object","required":["spec"],"properties":{
          "spec":{"type":"object","required":["size"],
            "x-kubernetes-validations":[{"rule":"!has(self.ports) || size(self.ports) <= self.size","message":"no more ports than size"}],
            "properties":{
              "size":{"type":"integer","minimum":1,"maximum":10},
              "color":{"type":"string","enum":["red","green","blue"],"default":"red"},
              "replicas":{"type":"integer","format":"int32","minimum":0,"default":1},
              "note":{"type":"string","maxLength":20,"nullable":true},
              "big":{"type":"integer","format":"int64"},
              "fixed":{"type":"string","x-kubernetes-validations":[{"rule":"self == oldSelf","message":"fixed is fixed"}]},
              "tags":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["key"],"items":{"type":"object","required":["key"],
                "properties":{"key":{"type":"string"},"value":{"type":"string"}}}},
              "ports":{"type":"array","maxItems":20,"x-kubernetes-list-type":"set","items":{"type":"integer"}},
              "steps":{"type":"array","items":{"type":"string"}},
              "free":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}},
          "status":{"type":"object","properties":{
            "phase":{"type":"string"},
            "replicas":{"type":"integer","format":"int32"},
            "observedGeneration":{"type":"integer","format":"int64"},
            "conditions":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["type"],"items":{"type":"object","required":["type","status"],
              "properties":{"type":{"type":"string"},"status":{"type":"string"},"reason":{"type":"string"}}}}}}}}
        """;
}
