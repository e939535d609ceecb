using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Governor.Domain.Kinds;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Witness.Http;
using Governor.Witness.Memory;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Governor.Witness.Mailbox;

/// <summary>
/// Follows the ConfigMap that the log writes and answers in the one that only the witness writes. The newest request counts; one that
/// was answered is not answered again.
/// </summary>
internal sealed partial class MailboxWatcher(
    ICluster cluster, string @namespace, string origin, Notary notary, WitnessConfigMap answers, TimeProvider clock, ILogger<MailboxWatcher> logger) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Channel<string> _newest =
        System.Threading.Channels.Channel.CreateBounded<string>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropOldest });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        var first = await Task.WhenAny(FollowAsync(either.Token), AnswerAllAsync(either.Token));
        await either.CancelAsync();
        await first;
    }

    private async Task FollowAsync(CancellationToken stopping)
    {
        LogFollows(cluster.Name.Value, @namespace, origin);
        await foreach (var seen in cluster.WatchAsync(new WatchRequest(KnownKinds.ConfigMap, @namespace, CheckpointMailbox.PostedName), stopping))
            if (seen is { Type: WatchEventType.Present, Object: { } posted } && CheckpointMailbox.Text(posted, CheckpointMailbox.Request) is { Length: > 0 } request)
                _newest.Writer.TryWrite(request);
    }

    private async Task AnswerAllAsync(CancellationToken stopping)
    {
        var faults = 0;
        while (await _newest.Reader.WaitToReadAsync(stopping))
        {
            if (!_newest.Reader.TryRead(out var request))
                continue;
            try
            {
                await AnswerAsync(request, stopping);
                faults = 0;
            }
            catch (Exception e) when (e is KubernetesException or IOException or WitnessMemoryException)
            {
                LogNotAnswered(e);
                await PauseAsync(faults++, stopping);
                // Only if there is nothing newer meanwhile: what the log wants to know is where it stands now.
                if (_newest.Reader.Count == 0)
                    _newest.Writer.TryWrite(request);
            }
        }
    }

    private async Task AnswerAsync(string body, CancellationToken cancellation)
    {
        if (await IsAnsweredAsync(body, cancellation))
            return;
        if (body.Length > WitnessRequest.MaximumBytes || !WitnessRequest.TryParse(body, out var request, out var fault))
        {
            await WriteAsync(memory => Refusal(memory, body, (400, "expected the body of an add-checkpoint (C2SP tlog-witness)")), cancellation);
            return;
        }
        var verdict = await notary.JudgeAsync(request, Channel.Mailbox, cancellation);
        await WriteAsync(memory => verdict.Cosignature is null ? Refusal(memory, body, AddCheckpoint.Explain(verdict.Answer)) : null, cancellation);
    }

    private async Task<bool> IsAnsweredAsync(string body, CancellationToken cancellation)
    {
        var found = await answers.ReadAsync(cancellation);
        var memory = await notary.RecallAsync(origin, cancellation);
        var refused = CheckpointMailbox.TryRead<MailboxRefusal>(CheckpointMailbox.Text(found, CheckpointMailbox.Refusal), out var refusal) ? refusal : null;
        if (refused is not null && refused.Request == CheckpointMailbox.DigestOf(body) && refused.Seen == (memory.Seen?.Size ?? 0))
            return true;
        if (memory.Accepted is null || !WitnessRequest.TryParse(body, out var request, out _) || request.Note.Text != memory.Accepted.Text || request.OldSize == request.Checkpoint.Size)
            return false;
        // It was accepted; whether that could be said before the power went is another matter.
        await WriteAsync(_ => null, cancellation);
        return true;
    }

    // What is remembered is read after the object that is replaced: an answer never takes back a memory that is newer than itself.
    private async Task WriteAsync(Func<WitnessMemory, MailboxRefusal?> refuse, CancellationToken cancellation)
    {
        while (true)
        {
            var found = await answers.ReadAsync(cancellation);
            var memory = await notary.RecallAsync(origin, cancellation);
            var data = answers.Of(memory, refuse(memory));
            if (WitnessConfigMap.Says(found, data) || await answers.TryWriteAsync(found?.ResourceVersion ?? "", data, cancellation))
                return;
        }
    }

    private static MailboxRefusal Refusal(WitnessMemory memory, string body, (int Status, string Why) said) =>
        new(CheckpointMailbox.DigestOf(body), said.Status, said.Why, memory.Seen?.Size ?? 0);

    [SuppressMessage("Security", "CA5394", Justification = "jitter against synchronised clients is no secret")]
    private Task PauseAsync(int round, CancellationToken cancellation)
    {
        var full = Math.Min(LongestPause.TotalMilliseconds, FirstPause.TotalMilliseconds * Math.Pow(2, Math.Min(round, 20)));
        return Task.Delay(TimeSpan.FromMilliseconds(full * (0.5 + Random.Shared.NextDouble() / 2)), clock, cancellation);
    }

    [LoggerMessage(LogLevel.Information, "Witnessing the log '{Origin}' through the mailbox in cluster '{Cluster}', namespace {Namespace}")]
    private partial void LogFollows(string cluster, string @namespace, string origin);

    [LoggerMessage(LogLevel.Error, "A checkpoint in the mailbox could not be answered; trying again")]
    private partial void LogNotAnswered(Exception exception);
}
