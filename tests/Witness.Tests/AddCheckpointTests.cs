using System.Net;
using System.Text;
using Governor.Domain.Signing;
using Governor.Domain.Transparency;
using Governor.Witness.Tests.Support;

namespace Governor.Witness.Tests;

/// <summary>One witness process that watches two logs over HTTP; each test has a log of its own.</summary>
public sealed class WatchedLogs : IAsyncLifetime
{
    private readonly Queue<TestLog> _logs = new(Enumerable.Range(0, 16).Select(n => new TestLog($"log.test/{n}")));

    public DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("governor-witness-");

    internal WitnessProcess Witness { get; private set; } = null!;

    /// <summary>The second key of the first log's name.</summary>
    internal byte[] NextSeed { get; } = Ed25519.GenerateSeed();

    internal TestLog Rotating { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Rotating = _logs.Dequeue();
        Witness = await WitnessProcess.StartAsync(
            WitnessProcess.InFolder(Folder.FullName, [.. _logs.Select(log => log.Key), Rotating.Key, new VerifierKey(Rotating.Key.Name, Ed25519.PublicKey(NextSeed))]));
    }

    public async Task DisposeAsync()
    {
        await Witness.DisposeAsync();
        Folder.Delete(recursive: true);
    }

    internal TestLog Log()
    {
        lock (_logs)
            return _logs.Dequeue();
    }

    internal string AlarmOf(TestLog log) => File.ReadAllText(Directory.GetFiles(
        Path.Combine(Folder.FullName, "state"), $"{log.Key.Name.Replace('/', '_')}-*.alarm.json").Single());
}

/// <summary>C2SP tlog-witness, word by word.</summary>
public sealed class AddCheckpointTests(WatchedLogs watched) : IClassFixture<WatchedLogs>
{
    private WitnessProcess Witness => watched.Witness;

    [Fact]
    public async Task What_goes_on_from_what_was_seen_is_cosigned()
    {
        var log = watched.Log();
        log.Sign(grow: 3);
        await Witness.AcceptAsync(await log.RequestAsync(0));
        log.Sign(grow: 300);
        var first = await Witness.AcceptAsync(await log.RequestAsync(3));
        Assert.NotNull(Cosignature.TimeOf(first));

        // Nothing new: the same tree is cosigned again, with a proof that has nothing to prove.
        await Witness.AcceptAsync(await log.RequestAsync(303));
    }

    [Fact]
    public async Task An_empty_log_can_be_cosigned_and_has_one_root_only()
    {
        var log = watched.Log();
        log.Sign();
        await Witness.AcceptAsync(await log.RequestAsync(0));

        var liar = watched.Log();
        var empty = new Checkpoint(liar.Key.Name, 0, TreeHash.Of([1]));
        liar.Sign();
        var honest = await liar.RequestAsync(0);
        var note = SignedWith(liar, empty.Text);
        await Witness.RefuseAsync(honest with { Note = note, Checkpoint = empty }, HttpStatusCode.UnprocessableEntity);
        await Witness.AcceptAsync(honest);
    }

    [Fact]
    public async Task A_log_that_nobody_watches_is_not_found()
    {
        var stranger = new TestLog("log.test/stranger");
        stranger.Sign(grow: 1);
        await Witness.RefuseAsync(await stranger.RequestAsync(0), HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_checkpoint_that_no_trusted_key_signed_is_forbidden()
    {
        var log = watched.Log();
        var impostor = log.WithKey(Ed25519.GenerateSeed());
        impostor.Sign(grow: 1);
        await Witness.RefuseAsync(await impostor.RequestAsync(0), HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task Signatures_of_unknown_keys_are_ignored_and_not_kept()
    {
        var log = watched.Log();
        log.Sign(grow: 2);
        var request = await log.RequestAsync(0);
        var other = new TestLog("somebody.test/else");
        var line = SignedWith(other, request.Note.Text).Signatures;
        await Witness.AcceptAsync(request with { Note = request.Note.With(line) });

        var kept = await File.ReadAllTextAsync(Directory.GetFiles(Path.Combine(watched.Folder.FullName, "state"), $"{log.Key.Name.Replace('/', '_')}-*.note").Single());
        Assert.DoesNotContain("somebody.test/else", kept, StringComparison.Ordinal);
        Assert.True(SignedNote.TryParse(kept, out var note));
        Assert.Equal((NoteVerdict.Good, NoteVerdict.Good), (note.Verify(log.Key), note.Verify(Witness.Key)));
    }

    [Fact]
    public async Task While_a_log_changes_its_key_either_will_do()
    {
        var before = watched.Rotating;
        before.Sign(grow: 2);
        await Witness.AcceptAsync(await before.RequestAsync(0));
        var after = before.WithKey(watched.NextSeed);
        after.Sign(grow: 2);
        await Witness.AcceptAsync(await after.RequestAsync(2));
    }

    [Fact]
    public async Task An_old_size_beyond_the_checkpoint_is_a_bad_request()
    {
        var log = watched.Log();
        log.Sign(grow: 2);
        await Witness.RefuseAsync(await log.RequestAsync(3), HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Another_old_size_than_what_was_seen_is_a_conflict_that_says_what_was_seen()
    {
        var log = watched.Log();
        log.Sign(grow: 5);
        await Witness.RefuseAsync(await log.RequestAsync(2), HttpStatusCode.Conflict, seen: 0);
        await Witness.AcceptAsync(await log.RequestAsync(0));
        log.Sign(grow: 5);
        await Witness.RefuseAsync(await log.RequestAsync(0), HttpStatusCode.Conflict, seen: 5);
        await Witness.RefuseAsync(await log.RequestAsync(4), HttpStatusCode.Conflict, seen: 5);
        await Witness.AcceptAsync(await log.RequestAsync(5));
    }

    [Fact]
    public async Task A_proof_that_does_not_lead_there_cannot_be_processed()
    {
        var log = watched.Log();
        log.Sign(grow: 5);
        await Witness.AcceptAsync(await log.RequestAsync(0));
        log.Sign(grow: 5);
        var request = await log.RequestAsync(5);
        await Witness.RefuseAsync(request with { Proof = [] }, HttpStatusCode.UnprocessableEntity);
        await Witness.RefuseAsync(request with { Proof = request.Proof.Add(default) }, HttpStatusCode.UnprocessableEntity);
        await Witness.RefuseAsync(request with { Proof = request.Proof.SetItem(0, default) }, HttpStatusCode.UnprocessableEntity);
        await Witness.AcceptAsync(request);
    }

    [Fact]
    public async Task A_proof_from_nothing_must_be_empty()
    {
        var log = watched.Log();
        log.Sign(grow: 5);
        var request = await log.RequestAsync(0);
        await Witness.RefuseAsync(request with { Proof = [default] }, HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task Two_roots_for_one_size_are_a_conflict_and_are_kept_as_evidence()
    {
        var log = watched.Log();
        log.Sign(grow: 8);
        await Witness.AcceptAsync(await log.RequestAsync(0));
        var fork = log.ForkAt(5);
        fork.Sign(grow: 3, kind: "lie");

        await Witness.RefuseAsync(await fork.RequestAsync(8), HttpStatusCode.Conflict, seen: 8);

        await Witness.SaidAsync($"The log '{log.Key.Name}' has to answer for this: Forked");
        Assert.True(CheckpointMailbox.TryRead<WitnessAlarm>(watched.AlarmOf(log), out var alarm));
        Assert.Equal(WitnessAlarmKind.Forked, alarm.Kind);
        Assert.True(SignedNote.TryParse(alarm.Seen, out var seen));
        Assert.True(SignedNote.TryParse(alarm.Shown, out var shown));
        Assert.Equal((NoteVerdict.Good, NoteVerdict.Good), (seen.Verify(log.Key), shown.Verify(log.Key)));
        Assert.NotEqual(seen.Text, shown.Text);
        // The honest history goes on; what was signed twice stays on record.
        log.Sign(grow: 1);
        await Witness.AcceptAsync(await log.RequestAsync(8));
        Assert.Contains("Forked", watched.AlarmOf(log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_that_was_rolled_back_is_refused_also_when_it_has_grown_past_what_was_seen()
    {
        var log = watched.Log();
        log.Sign(grow: 10);
        await Witness.AcceptAsync(await log.RequestAsync(0));
        var rolledBack = log.ForkAt(6);
        rolledBack.Sign();
        await Witness.RefuseAsync(await rolledBack.RequestAsync(0), HttpStatusCode.Conflict, seen: 10);
        await Witness.RefuseAsync(await rolledBack.RequestAsync(6), HttpStatusCode.Conflict, seen: 10);
        rolledBack.Sign(grow: 20, kind: "other");
        await Witness.RefuseAsync(await rolledBack.RequestAsync(10), HttpStatusCode.UnprocessableEntity);
        await Witness.SaidAsync($"Refused for the log '{log.Key.Name}': Unproved");
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n")]
    [InlineData("old 0")]
    [InlineData("old 0\n\n")]
    [InlineData("old 00\n\n{note}")]
    [InlineData("old -1\n\n{note}")]
    [InlineData("old +1\n\n{note}")]
    [InlineData("old 99999999999999999999\n\n{note}")]
    [InlineData("Old 0\n\n{note}")]
    [InlineData("old 0\n{note}")]
    [InlineData("old 0\nAAAA\n\n{note}")]
    [InlineData("old 0\r\n\r\n{note}")]
    [InlineData("old 0\n\nlog.test/x\n01\nAAAA\n\n")]
    public async Task What_is_no_request_is_a_bad_request(string body)
    {
        var stranger = new TestLog("log.test/stranger");
        var note = stranger.Sign(grow: 1).Note;
        var (status, _, _) = await Witness.AddAsync(Encoding.UTF8.GetBytes(body.Replace("{note}", note, StringComparison.Ordinal)));
        Assert.Equal(HttpStatusCode.BadRequest, status);
    }

    [Fact]
    public async Task More_than_63_hashes_invalid_UTF8_and_too_many_bytes_are_not_read()
    {
        var log = watched.Log();
        log.Sign(grow: 1);
        var request = await log.RequestAsync(0);
        Assert.Equal(HttpStatusCode.BadRequest, (await Witness.AddAsync(request with { Proof = [.. new TreeHash[64]] })).Status);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await Witness.AddAsync(request with { Proof = [.. new TreeHash[63]] })).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Witness.AddAsync([.. "old 0\n\n"u8, 0xff, 0xfe, .. request.Note.ToBytes()])).Status);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, (await Witness.AddAsync(new byte[WitnessRequest.MaximumBytes + 1])).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await Witness.AddAsync(new byte[WitnessRequest.MaximumBytes])).Status);
        using var answer = await Witness.Http.GetAsync(new Uri("/add-checkpoint", UriKind.Relative));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
    }

    [Fact]
    public async Task Of_many_at_once_none_leads_backwards()
    {
        var log = watched.Log();
        var requests = new List<WitnessRequest>();
        for (var i = 0; i < 12; i++)
        {
            log.Sign(grow: 3);
            requests.Add(await log.RequestAsync(0));
        }

        // All begin at nothing, so that exactly one can be right; then everybody tries to go on from there.
        var first = await Task.WhenAll(requests.Select(r => Witness.AddAsync(r)));
        var won = requests[first.ToList().FindIndex(a => a.Status == HttpStatusCode.OK)].Checkpoint.Size;
        Assert.Single(first, a => a.Status == HttpStatusCode.OK);
        Assert.All(first.Where(a => a.Status != HttpStatusCode.OK), a => Assert.Equal((HttpStatusCode.Conflict, $"{won}\n"), (a.Status, a.Body)));
        var next = await log.RequestAsync(won);
        var second = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Witness.AddAsync(next)));
        Assert.Contains(second, a => a.Status == HttpStatusCode.OK);
        Assert.All(second.Where(a => a.Status != HttpStatusCode.OK), a => Assert.Equal((HttpStatusCode.Conflict, "36\n"), (a.Status, a.Body)));
        await Witness.RefuseAsync(requests[0], HttpStatusCode.Conflict, seen: 36);
    }

    private static SignedNote SignedWith(TestLog log, string text)
    {
        Assert.True(SignedNote.TryParse($"{text}\n{log.SignatureOn(text)}", out var note));
        return note;
    }
}
