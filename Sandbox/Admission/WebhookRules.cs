using System.Text.Json.Nodes;
using Governor.Sandbox.Api;

namespace Governor.Sandbox.Admission;

/// <summary>What a webhook configuration has to look like.</summary>
internal static class WebhookRules
{
    private static readonly string[] Operations = ["CONNECT", "CREATE", "DELETE", "UPDATE", "*"];

    public static IEnumerable<Cause> Validate(JsonObject configuration)
    {
        var hooks = configuration.List("webhooks")?.OfType<JsonObject>().ToArray() ?? [];
        for (var i = 0; i < hooks.Length; i++)
            foreach (var cause in Validate(hooks[i], $"webhooks[{i}]"))
                yield return cause;
    }

    private static IEnumerable<Cause> Validate(JsonObject hook, string at)
    {
        var name = hook.Text("name");
        if (name.Split('.').Length < 3)
            yield return Cause.Invalid($"{at}.name", $"\"{name}\"", "should be a domain with at least three segments separated by dots");
        var versions = hook.List("admissionReviewVersions").Texts().ToArray();
        if (versions.Length == 0)
            yield return Cause.Required($"{at}.admissionReviewVersions", "must specify one of v1, v1beta1");
        else if (!versions.Any(v => v is "v1" or "v1beta1"))
            yield return Cause.Invalid($"{at}.admissionReviewVersions", $"[]string{{{string.Join(", ", versions.Select(v => $"\"{v}\""))}}}", "must include at least one of v1, v1beta1");
        foreach (var cause in Policies(hook, at).Concat(Rules(hook, at)).Concat(Client(hook.Child("clientConfig") ?? [], $"{at}.clientConfig")))
            yield return cause;
    }

    private static IEnumerable<Cause> Policies(JsonObject hook, string at)
    {
        if (hook.Text("failurePolicy") is { Length: > 0 } failure and not ("Fail" or "Ignore"))
            yield return Cause.NotSupported($"{at}.failurePolicy", $"\"{failure}\"", ["Fail", "Ignore"]);
        if (hook.Text("matchPolicy") is { Length: > 0 } match and not ("Exact" or "Equivalent"))
            yield return Cause.NotSupported($"{at}.matchPolicy", $"\"{match}\"", ["Equivalent", "Exact"]);
        if (hook.Text("sideEffects") is not { Length: > 0 } effects)
            yield return Cause.Required($"{at}.sideEffects", "must specify one of None, NoneOnDryRun");
        else if (effects is not ("None" or "NoneOnDryRun"))
            yield return Cause.NotSupported($"{at}.sideEffects", $"\"{effects}\"", ["None", "NoneOnDryRun"]);
        if (hook.Whole("timeoutSeconds") is { } seconds and (< 1 or > 30))
            yield return Cause.Invalid($"{at}.timeoutSeconds", $"{seconds}", "the timeout value must be between 1 and 30 seconds");
        if (hook.Text("reinvocationPolicy") is { Length: > 0 } again and not ("Never" or "IfNeeded"))
            yield return Cause.NotSupported($"{at}.reinvocationPolicy", $"\"{again}\"", ["IfNeeded", "Never"]);
    }

    private static IEnumerable<Cause> Rules(JsonObject hook, string at)
    {
        var rules = hook.List("rules")?.OfType<JsonObject>().ToArray() ?? [];
        for (var i = 0; i < rules.Length; i++)
        {
            foreach (var needed in (string[])["operations", "apiGroups", "apiVersions", "resources"])
                if (rules[i].List(needed) is not { Count: > 0 })
                    yield return Cause.Required($"{at}.rules[{i}].{needed}");
            foreach (var (operation, j) in rules[i].List("operations").Texts().Select((o, j) => (o, j)))
                if (!Operations.Contains(operation))
                    yield return Cause.NotSupported($"{at}.rules[{i}].operations[{j}]", $"\"{operation}\"", Operations);
        }
    }

    private static IEnumerable<Cause> Client(JsonObject client, string at)
    {
        var hasService = client.Child("service") is not null;
        var text = client.Text("url");
        if (hasService == (text.Length > 0))
        {
            yield return Cause.Required(at, "exactly one of url or service is required");
            yield break;
        }
        if (hasService)
            yield break;
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url))
            yield return Cause.Required($"{at}.url", "url must be a valid URL; desired format: https://host[/path]");
        else if (url.Scheme != Uri.UriSchemeHttps)
            yield return Cause.Invalid($"{at}.url", $"\"{url.Scheme}\"", "'https' is the only allowed URL scheme; desired format: https://host[/path]");
        else if (url.Query.Length > 1)
            yield return Cause.Invalid($"{at}.url", $"\"{url.Query[1..]}\"", "query parameters are not permitted in the URL");
    }
}
