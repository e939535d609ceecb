using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Sandbox.Faults;
using Governor.Witness.Tests.Support;

namespace Governor.Witness.Tests;

/// <summary>The same protocol through two ConfigMaps of a cluster, each side with its own rights, the witness a process of its own.</summary>
public sealed class MailboxTests : IAsyncLifetime
{
    private static readonly ObjectKey Posted = new("ont-system", CheckpointMailbox.PostedName);
    private static readonly ObjectKey Answer = new("ont-system", CheckpointMailbox.AnswerName);

    private readonly TestLog _log = new();
    private MailboxCluster _cluster = null!;

    public async Task InitializeAsync() => _cluster = await MailboxCluster.StartAsync();

    public async Task DisposeAsync() => await _cluster.DisposeAsync();

    [Fact]
    public async Task What_the_log_posts_is_accepted_and_cosigned_step_by_step()
    {
        await using var witness = await _cluster.WitnessAsync(_log.Key);
        _log.Sign(grow: 3);
        await _cluster.AcceptAsync(witness, await _log.RequestAsync(0));
        _log.Sign(grow: 300);
        var note = await _cluster.AcceptAsync(witness, await _log.RequestAsync(3));
        Assert.Equal(NoteVerdict.Good, note.Verify(_log.Key));

        // It says where it stands, and a log that begins there gets on.
        _log.Sign(grow: 1);
        var refusal = await _cluster.RefuseAsync(witness, await _log.RequestAsync(0));
        Assert.Equal((409, 303L), (refusal.Status, refusal.Seen));
        await _cluster.AcceptAsync(witness, await _log.RequestAsync(303));
        Assert.Null(await _cluster.AlarmAsync());
    }

    [Fact]
    public async Task A_request_that_was_posted_before_there_was_a_witness_is_answered_when_there_is_one()
    {
        _log.Sign(grow: 3);
        await _cluster.PostAsync(await _log.RequestAsync(0));
        await using var witness = await _cluster.WitnessAsync(_log.Key);
        await _cluster.AcceptAsync(witness, await _log.RequestAsync(0));
    }

    [Fact]
    public async Task Neither_side_can_write_the_others_half()
    {
        _log.Sign(grow: 3);
        await _cluster.PostAsync(await _log.RequestAsync(0));
        var witness = _cluster.Connect(_cluster.WitnessKubeconfig);
        var lie = MailboxCluster.Map(CheckpointMailbox.AnswerName, (CheckpointMailbox.Accepted, "nothing"));

        await ForbiddenAsync(() => _cluster.Silo.ApplyAsync(lie, "governor-audit", new ApplyOptions(Force: true), default));
        await ForbiddenAsync(() => _cluster.Silo.MergePatchAsync(KnownKinds.ConfigMap, Answer, new JsonObject { ["data"] = null }, "governor-audit", default));
        await ForbiddenAsync(() => _cluster.Silo.DeleteAsync(KnownKinds.ConfigMap, Answer, null, default));
        await ForbiddenAsync(() => _cluster.Silo.CreateAsync(MailboxCluster.Map("another"), default));
        await ForbiddenAsync(() => _cluster.Silo.DeleteAsync(KnownKinds.ConfigMap, Posted, null, default));
        await ForbiddenAsync(() => witness.ApplyAsync(MailboxCluster.Map(CheckpointMailbox.PostedName, ("request", "x")), "governor-witness", new ApplyOptions(Force: true), default));
        await ForbiddenAsync(() => witness.DeleteAsync(KnownKinds.ConfigMap, Answer, null, default));
        // Not even when it is not there: then it would be the log that decides what was seen.
        await _cluster.Admin.DeleteAsync(KnownKinds.ConfigMap, Answer, null, default);
        await ForbiddenAsync(() => _cluster.Silo.ApplyAsync(lie, "governor-audit", new ApplyOptions(Force: true), default));
    }

    [Fact]
    public async Task A_log_that_shows_less_than_before_is_refused_and_alarmed_until_it_goes_on()
    {
        await using var witness = await _cluster.WitnessAsync(_log.Key);
        _log.Sign(grow: 10);
        await _cluster.AcceptAsync(witness, await _log.RequestAsync(0));
        var restored = _log.ForkAt(6);
        restored.Sign();

        Assert.Equal(409, (await _cluster.RefuseAsync(witness, await restored.RequestAsync(6))).Status);

        var alarm = await _cluster.AlarmAsync();
        Assert.Equal(WitnessAlarmKind.RolledBack, alarm?.Kind);
        Assert.StartsWith($"{_log.Key.Name}\n6\n", alarm!.Shown, StringComparison.Ordinal);
        Assert.StartsWith($"{_log.Key.Name}\n10\n", alarm.Seen, StringComparison.Ordinal);
        await witness.SaidAsync("has to answer for this: RolledBack");
        _log.Sign(grow: 1);
        await _cluster.AcceptAsync(witness, await _log.RequestAsync(10));
        Assert.Null(await _cluster.AlarmAsync());
        await witness.SaidAsync("the alarm RolledBack is over");
    }

    [Fact]
    public async Task A_split_view_and_a_rewritten_history_are_refused_and_the_evidence_is_kept()
    {
        await using var witness = await _cluster.WitnessAsync(_log.Key);
        _log.Sign(grow: 10);
        await _cluster.AcceptAsync(witness, await _log.RequestAsync(0));

        var rewritten = _log.ForkAt(6);
        rewritten.Sign(grow: 20, kind: "lie");
        Assert.Equal(422, (await _cluster.RefuseAsync(witness, await rewritten.RequestAsync(10))).Status);
        Assert.Equal(WitnessAlarmKind.Unproved, (await _cluster.AlarmAsync())?.Kind);

        var split = _log.ForkAt(6);
        split.Sign(grow: 4, kind: "lie");
        Assert.Equal(409, (await _cluster.RefuseAsync(witness, await split.RequestAsync(10))).Status);
        var alarm = await _cluster.AlarmAsync();
        Assert.Equal(WitnessAlarmKind.Forked, alarm?.Kind);
        Assert.True(SignedNote.TryParse(alarm!.Seen, out var seen));
        Assert.True(SignedNote.TryParse(alarm.Shown, out var shown));
        Assert.Equal((NoteVerdict.Good, NoteVerdict.Good, NoteVerdict.Good), (seen.Verify(_log.Key), seen.Verify(witness.Key), shown.Verify(_log.Key)));

        // What is proved stays: an honest step does not take it away, nor does a new life of the witness.
        _log.Sign(grow: 1);
        await _cluster.AcceptAsync(witness, await _log.RequestAsync(10));
        Assert.Equal(alarm, await _cluster.AlarmAsync());
    }

    [Fact]
    public async Task A_witness_that_was_killed_between_persisting_and_answering_answers_in_its_next_life()
    {
        _log.Sign(grow: 3);
        var hold = new RequestHold(HoldPoint.BeforeAnswer);
        _cluster.Sandbox.Faults.Arm(request => request is { Verb: "patch", Resource: "configmaps", Name: CheckpointMailbox.AnswerName }, new FaultEffect.Hold(hold));
        var request = await _log.RequestAsync(0);
        await using (var witness = await _cluster.WitnessAsync(_log.Key))
        {
            await _cluster.PostAsync(request);
            await Awaiting.DoneAsync(hold.Held, "the write of the memory", () => witness.Log);
            await witness.KillAsync();
        }
        hold.Drop();

        await using var again = await _cluster.WitnessAsync(_log.Key);
        await _cluster.AcceptAsync(again, request);
        _log.Sign(grow: 3);
        await _cluster.AcceptAsync(again, await _log.RequestAsync(3));
    }

    [Fact]
    public async Task A_write_that_failed_is_tried_again()
    {
        await using var witness = await _cluster.WitnessAsync(_log.Key);
        var isWrite = (FaultRequest request) => request is { Verb: "patch", Resource: "configmaps", Name: CheckpointMailbox.AnswerName };
        _cluster.Sandbox.Faults.Arm(isWrite, new FaultEffect.Fail(500, "InternalError", "out of order"));
        _cluster.Sandbox.Faults.Arm(isWrite, new FaultEffect.DropAfter());
        _log.Sign(grow: 3);
        await _cluster.AcceptAsync(witness, await _log.RequestAsync(0));
    }

    [Fact]
    public async Task A_memory_that_is_taken_back_in_the_cluster_is_put_right_by_the_running_witness()
    {
        await using var witness = await _cluster.WitnessAsync(_log.Key);
        _log.Sign(grow: 7);
        var old = await _cluster.AcceptAsync(witness, await _log.RequestAsync(0));
        _log.Sign(grow: 7);
        await _cluster.AcceptAsync(witness, await _log.RequestAsync(7));

        // An administrator of the cluster can do this; the log cannot.
        await _cluster.Admin.MergePatchAsync(
            KnownKinds.ConfigMap, Answer, new JsonObject { ["data"] = new JsonObject { [CheckpointMailbox.Accepted] = old.ToString() } }, "admin", default);
        var fork = _log.ForkAt(7);
        fork.Sign(grow: 3, kind: "lie");
        var refusal = await _cluster.RefuseAsync(witness, await fork.RequestAsync(7));
        Assert.Equal((409, 14L), (refusal.Status, refusal.Seen));
        await witness.SaidAsync("has gone back from 14 to 7 leaves");
        _log.Sign(grow: 1);
        await _cluster.AcceptAsync(witness, await _log.RequestAsync(14));
    }

    [Fact]
    public async Task What_is_posted_and_is_no_request_is_refused_with_a_reason()
    {
        await using var witness = await _cluster.WitnessAsync(_log.Key);
        await _cluster.Silo.ApplyAsync(MailboxCluster.Map(CheckpointMailbox.PostedName, (CheckpointMailbox.Request, "nonsense")), "governor-audit", default, default);
        await _cluster.AnswerAsync("a refusal", map =>
            CheckpointMailbox.TryRead<MailboxRefusal>(CheckpointMailbox.Text(map, CheckpointMailbox.Refusal), out var refusal) && refusal.Status == 400, () => witness.Log);

        var stranger = new TestLog("log.test/stranger");
        stranger.Sign(grow: 1);
        Assert.Equal(404, (await _cluster.RefuseAsync(witness, await stranger.RequestAsync(0))).Status);
        var impostor = _log.WithKey(Domain.Signing.Ed25519.GenerateSeed());
        impostor.Sign(grow: 1);
        Assert.Equal(403, (await _cluster.RefuseAsync(witness, await impostor.RequestAsync(0))).Status);
        Assert.Null(await _cluster.AlarmAsync());
    }

    private static async Task ForbiddenAsync(Func<Task> act) => Assert.Equal(403, (await Assert.ThrowsAsync<KubernetesException>(act)).Code);
}
