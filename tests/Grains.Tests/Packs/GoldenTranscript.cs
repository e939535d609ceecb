using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Governor.Domain.Audit;
using Governor.Grains.Tests.Support;

namespace Governor.Grains.Tests.Packs;

/// <summary>
/// What was decided on each step, as an operator would read it in the audit trail: the decisions of each object in their order. What
/// depends on chance is left out or given a name: identities, times, and in which order independent facts arrived at a gate.
/// </summary>
internal sealed partial class GoldenTranscript(Bed bed, string registry)
{
    private static readonly string[] Kinds = ["Secret", "ClusterPack", "PackExecution", "PackInstance", "Approval"];

    // In how many steps the gates came to their answers, and when the object was seen, differs from run to run; what came of it does not.
    private static readonly string[] LeftOut =
        ["packexecution.gate-cleared", "packexecution.gate-blocked", "packexecution.step-done", "packinstance.recorded", "pack.content-read", "pack.execution-refused", "pack.execution-accepted"];

    private readonly StringBuilder _text = new();
    private readonly Dictionary<string, int> _uids = [];
    private int _told;
    private int _steps;

    /// <summary>The comment at the top of the file: what the case is about.</summary>
    public void Heading(string given)
    {
        foreach (var line in given.Split('\n').TakeWhile(line => line.StartsWith('#')))
            _text.Append(line).Append('\n');
    }

    /// <param name="tells">Whether the actors have come to rest: only then it is certain which decisions there are by now.</param>
    public void Step(string what, bool tells)
    {
        _text.Append(CultureInfo.InvariantCulture, $"\n{++_steps}. {what}\n");
        if (!tells)
            return;
        var events = bed.Commits.Events();
        var news = events.Skip(_told).Where(e => Kinds.Contains(e.Subject.Kind) && !LeftOut.Contains(e.Action) && !e.Action.EndsWith(".state-changed", StringComparison.Ordinal) && e.Rationale is not null);
        _told = events.Count;
        foreach (var subject in news.GroupBy(e => (e.Subject.Kind, e.Subject.Name)).OrderBy(s => Array.IndexOf(Kinds, s.Key.Kind)).ThenBy(s => s.Key.Name, StringComparer.Ordinal))
        {
            _text.Append(CultureInfo.InvariantCulture, $"   {subject.Key.Kind} {subject.Key.Name}\n");
            foreach (var told in subject)
                _text.Append(CultureInfo.InvariantCulture, $"     {told.Action}{By(told)}: {Normalise(told.Rationale!)}\n");
        }
    }

    public override string ToString() => _text.ToString();

    private static string By(GovernanceEvent told) =>
        (told.Actor.StartsWith("system:", StringComparison.Ordinal) ? "" : $" by {told.Actor}") + (told.Reviewer is { Length: > 0 } reviewer ? $", approved by {reviewer}" : "");

    private string Normalise(string text)
    {
        text = text.Replace(registry, "registry", StringComparison.Ordinal);
        text = Uid().Replace(text, match => _uids.TryGetValue(match.Value, out var known) ? $"uid-{known}" : $"uid-{_uids[match.Value] = _uids.Count + 1}");
        text = DigestText().Replace(text, "sha256:...");
        text = Time().Replace(text, "TIME");
        text = Order().Replace(text, "$1-$2");
        text = Loopback().Replace(text, "127.0.0.1:PORT");
        return KeyId().Replace(text, "KEY");
    }

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uid();

    [GeneratedRegex("sha256:[0-9a-f]{64}")]
    private static partial Regex DigestText();

    [GeneratedRegex(@"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?")]
    private static partial Regex Time();

    [GeneratedRegex(@"\b(Prune|Deletion)-(\d+)-\d+")]
    private static partial Regex Order();

    [GeneratedRegex(@"127\.0\.0\.1:\d+")]
    private static partial Regex Loopback();

    [GeneratedRegex(@"\b[0-9a-f]{16}\b")]
    private static partial Regex KeyId();
}
