using Governor.Domain.Facts;
using Governor.Domain.Packs;

namespace Governor.Domain.Tests.Packs;

/// <summary>
/// A target, the executions of one pack lineage and the cluster's objects, as simple as can be; the decisions about the lineage are the
/// real ones. Every step is one of those that may happen in any order.
/// </summary>
internal sealed class LineageWorld
{
    private readonly LineageOnTarget _web = new();
    private readonly Dictionary<string, Attempt> _attempts = [];
    private readonly Dictionary<string, string> _declared = [];
    private int _uids;

    /// <summary>What is on the target: by name, what it says and which object it is.</summary>
    public Dictionary<string, (string Content, string Uid)> Tenant { get; } = [];

    public InstanceState State => _web.State;

    /// <summary>What may never be: two that write at once, or a write beside a removal.</summary>
    public string Breach { get; private set; } = "";

    public void Declare(string pack)
    {
        _declared[pack] = $"v1.{pack}.0";
        if (!_attempts.TryGetValue(pack, out var known) || !known.Exists)
            _attempts[pack] = new Attempt(pack) { Uid = ++_uids };
        _web.Tell(Fact(pack, true));
        Listen();
    }

    public void Delete(string pack)
    {
        if (!_declared.Remove(pack))
            return;
        _web.Tell(Fact(pack, false));
        if (_attempts.TryGetValue(pack, out var attempt))
            attempt.Exists = false;
        Listen();
    }

    /// <summary>The silo dies and comes back: whoever owes something says it once more.</summary>
    public void Restart()
    {
        foreach (var pack in _declared.Keys)
            _web.Tell(Fact(pack, true));
        foreach (var attempt in _attempts.Values)
            attempt.Said = null;
        Listen();
    }

    /// <summary>Whoever may write takes a step; it fails where that is asked for.</summary>
    public void Work(bool fails)
    {
        foreach (var attempt in _attempts.Values.Where(a => a is { Exists: true, Standing: AttemptStanding.Waiting or AttemptStanding.Writing } && a.Holder == a.Key).Take(1))
        {
            if (attempt.Standing == AttemptStanding.Waiting)
            {
                attempt.Standing = AttemptStanding.Writing;
                if (_attempts.Values.Count(a => a is { Exists: true, Standing: AttemptStanding.Writing }) > 1)
                    Breach = "two attempts write at once";
                if (State.Removal is not null)
                    Breach = "an attempt writes beside a removal";
            }
            else if (fails)
            {
                attempt.Inventory = [.. Apply(attempt.Content).Take(1)];
                attempt.Standing = AttemptStanding.Failed;
            }
            else
            {
                attempt.Standing = AttemptStanding.Succeeded;
                var version = _declared.GetValueOrDefault(attempt.Content, $"v1.{attempt.Content}.0");
                attempt.FinishedAt = _web.Now.AddSeconds(1);
                _web.Tell(new DeliveredFact(
                    LineageOnTarget.Execution(attempt.Key), $"uid-{attempt.Uid}", new Domain.Kinds.ObjectKey("seam-tenant-ccs-dev", attempt.Content), $"uid-of-{attempt.Content}", version, "ccs-dev",
                    Make.Spec with { Version = version, BasePackName = "web" }, [.. Apply(attempt.Content)], attempt.FinishedAt.Value, null, $"sha256:{attempt.Content}", "{}", "key"));
            }
        }
        Listen();
    }

    /// <summary>One object of a removal is dealt with.</summary>
    public void Remove()
    {
        if (State.Removal is { IsCancelled: true } cancelled)
            _web.Do(new InstanceInput.RemovalStopped(cancelled.Id));
        else if (State.Removal is { Pending: [var entry, ..] } order)
        {
            var isIt = Tenant.TryGetValue(entry.Name, out var live) && live.Uid == entry.Uid && entry.Created;
            if (isIt)
                Tenant.Remove(entry.Name);
            _web.Do(new InstanceInput.ObjectDone(order.Id, entry, isIt ? RemovalOutcome.Removed : RemovalOutcome.Absent, "", ""));
        }
        Listen();
    }

    /// <summary>Nothing happens from outside any more, but that failed attempts are repaired. Whether it came to rest.</summary>
    public bool ComesToRest()
    {
        for (var i = 0; i < 200; i++)
        {
            foreach (var failed in _attempts.Values.Where(a => a is { Exists: true, Standing: AttemptStanding.Failed }))
                (failed.Standing, failed.Uid, failed.Inventory) = (AttemptStanding.Waiting, ++_uids, []);
            var before = Situation();
            Work(fails: false);
            Remove();
            if (before == Situation())
                return true;
        }
        return false;
    }

    // One removal that ends and another that begins in the same moment look alike but for their names.
    private string Situation() => System.Text.Json.JsonSerializer.Serialize(
        (State.Aim, State.Turn, State.TurnNumber, State.Standing, State.Removal?.Id, State.Removal?.IsCancelled, State.Removal?.Pending.Length,
            Writing: _attempts.Values.Select(a => a.Standing).ToArray()), s_fields);

    /// <summary>What has to be on the target, whatever happened before.</summary>
    public IReadOnlyDictionary<string, string> Wanted => _declared.Count == 0
        ? new Dictionary<string, string>()
        : ObjectsOf(_declared.Keys.Order(StringComparer.Ordinal).Last()).ToDictionary(o => o.Name, o => o.Content);

    private static readonly System.Text.Json.JsonSerializerOptions s_fields = new() { IncludeFields = true };

    private static IEnumerable<(string Name, string Content)> ObjectsOf(string pack) => [("data", "volume"), ("settings", pack), ($"only-{pack}", pack)];

    private IEnumerable<DeployedResource> Apply(string pack)
    {
        foreach (var (name, content) in ObjectsOf(pack))
        {
            var isNew = !Tenant.TryGetValue(name, out var live);
            Tenant[name] = (content, isNew ? $"object-{++_uids}" : live.Uid);
            yield return LineageOnTarget.Config(name, Tenant[name].Uid, isNew);
        }
    }

    private PackFact Fact(string pack, bool exists) => _web.Fact(pack, $"v1.{pack}.0", retain: false, exists: exists);

    // Everybody hears what he is told and answers, until nobody has anything to say.
    private void Listen()
    {
        for (var said = true; said;)
        {
            said = false;
            if (State.Restoration is { } restoration && !_attempts.ContainsKey(KeyOf(restoration.Execution.Name)))
                _attempts[KeyOf(restoration.Execution.Name)] = new Attempt(KeyOf(restoration.Execution.Name)) { Uid = ++_uids, Content = State.Find(restoration.Revision)!.Pack.Name };
            foreach (var letter in InstanceRules.Outbox(State).ToList())
            {
                if (letter.Fact is not TurnFact turn)
                    continue;
                var name = KeyOf(letter.To.Key.Split('/')[1]);
                var attempt = _attempts.TryGetValue(name, out var known) ? known : _attempts[name] = new Attempt(name) { Exists = false };
                (attempt.Heard, attempt.Holder) = (turn.Number, KeyOf(turn.Holder.Split('/')[^1]));
                if (attempt.Standing is AttemptStanding.Waiting or AttemptStanding.Superseded)
                    attempt.Standing = turn.SupersededBy.Length > 0 ? AttemptStanding.Superseded : AttemptStanding.Waiting;
            }
            foreach (var attempt in _attempts.Values.Where(a => a.Heard > 0).ToList())
            {
                var news = $"{attempt.Uid} {attempt.Exists} {attempt.Standing} {attempt.Heard}";
                if (news == attempt.Said)
                    continue;
                attempt.Said = news;
                said = true;
                _web.Tell(new AttemptFact(
                    LineageOnTarget.Execution(attempt.Key) with { Name = NameOf(attempt.Key) }, $"uid-{attempt.Uid}", attempt.Exists, attempt.Standing, attempt.Heard, attempt.FinishedAt, [.. attempt.Inventory])
                {
                    From = new Address(Subjects.Execution, $"seam-tenant-ccs-dev/{NameOf(attempt.Key)}"),
                    Version = ++_uids,
                });
            }
        }
    }

    private static string KeyOf(string execution) => execution.Contains("-restore-", StringComparison.Ordinal) ? execution : execution.Replace("-ccs-dev", "", StringComparison.Ordinal);

    private static string NameOf(string key) => key.Contains("-restore-", StringComparison.Ordinal) ? key : $"{key}-ccs-dev";

    private sealed class Attempt(string key)
    {
        public string Key { get; } = key;

        public string Content { get; init; } = key;

        public bool Exists { get; set; } = true;

        public int Uid { get; set; }

        public AttemptStanding Standing { get; set; }

        public long Heard { get; set; }

        public string Holder { get; set; } = "";

        public string? Said { get; set; }

        public DateTimeOffset? FinishedAt { get; set; }

        public DeployedResource[] Inventory { get; set; } = [];
    }
}
