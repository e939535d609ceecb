using System.CommandLine;
using System.Text.Json.Nodes;
using Governor.Cli.Silo;

namespace Governor.Cli.Auth;

/// <summary>The question as kubectl has it: <c>VERB RESOURCE[.GROUP][/NAME]</c>, a namespace, and here a cluster too.</summary>
internal sealed class PermissionOptions
{
    private static readonly System.Text.Json.JsonSerializerOptions Indented = new() { WriteIndented = true };

    private readonly Argument<string> _verb = new("verb") { Description = "get, list, watch, create, …; * for all verbs" };
    private readonly Argument<string> _resource = new("resource") { Description = "RESOURCE[.GROUP][/NAME], for instance deployments.apps/web; * for all resources, *.* for those of all groups" };
    private readonly Option<string> _subresource = new("--subresource") { Description = "log, scale, …", DefaultValueFactory = _ => "" };
    private readonly Option<string> _cluster = new("--on") { Description = "The cluster", Required = true };
    private readonly Option<string?> _namespace = new("--namespace", "-n") { Description = "In this namespace; in all of them and at the cluster scope when absent" };
    private readonly Option<string> _format = new("--output", "-o") { Description = "json; a word otherwise", DefaultValueFactory = _ => "" };

    public PermissionOptions(Command command)
    {
        _format.AcceptOnlyFromAmong("", "json");
        command.Arguments.Add(_verb);
        command.Arguments.Add(_resource);
        foreach (var option in (Option[])[_subresource, _cluster, _namespace, _format])
            command.Options.Add(option);
        Silo.AddTo(command);
    }

    public SiloConnection Silo { get; } = new();

    /// <summary>As the silo takes it.</summary>
    /// <exception cref="UsageException">The resource cannot be read.</exception>
    public JsonObject Question(ParseResult parsed)
    {
        var text = parsed.GetRequiredValue(_resource);
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        var (type, name) = slash < 0 ? (text, null) : (text[..slash], text[(slash + 1)..]);
        var dot = type.IndexOf('.', StringComparison.Ordinal);
        var (resource, group) = dot < 0 ? (type, "") : (type[..dot], type[(dot + 1)..]);
        if (resource.Length == 0 || name?.Length == 0 || (dot >= 0 && group.Length == 0))
            throw new UsageException($"resource: expected RESOURCE[.GROUP][/NAME], found '{text}'");
        var subresource = parsed.GetRequiredValue(_subresource);
        return new JsonObject
        {
            ["cluster"] = parsed.GetRequiredValue(_cluster),
            ["apiGroup"] = group,
            ["resource"] = subresource.Length == 0 ? resource : $"{resource}/{subresource}",
            ["verb"] = parsed.GetRequiredValue(_verb),
            ["resourceName"] = name,
            ["namespace"] = parsed.GetValue(_namespace),
        };
    }

    /// <summary>The whole answer where that was asked for, its words otherwise; on the error stream, why it may be old.</summary>
    public void Write(ParseResult parsed, JsonObject answer, IEnumerable<string> words)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        if (parsed.GetValue(_format) == "json")
        {
            output.WriteLine(answer.ToJsonString(Indented));
            return;
        }
        foreach (var word in words)
            output.WriteLine(word);
        if (answer["knowledge"] is not { } knowledge)
            return;
        if (knowledge["freshness"]?.ToString() == "Stale")
            error.WriteLine($"Warning: the snapshot is stale since {knowledge["freshUntil"]}");
        if (knowledge["observing"]?.GetValue<bool>() == false)
            error.WriteLine("Warning: the silo does not see everything on the management cluster now; what was declared there may not be in this answer");
    }
}
