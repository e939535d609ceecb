using System.Globalization;
using System.Net;
using System.Text;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Silo.Audit;

/// <summary>Asks one witness over HTTP, as C2SP tlog-witness says. Its cosignature counts when its configured key verifies it.</summary>
internal sealed class HttpCourier(
    HttpWitness witness, HttpClient http, WitnessRequests requests, Newest<LogCheckpoint> newest, WitnessBoard board, AuditOptions options, TimeProvider clock)
    : Courier($"witness {witness.Url}", newest, board, options, clock)
{
    /// <summary>Each refusal says where the witness stands; others that ask it at the same time may move it on.</summary>
    private const int Tries = 4;

    private readonly VerifierKey _key = VerifierKey.TryParse(witness.Key, out var key) ? key : throw new ArgumentException($"expected a verifier key, found '{witness.Key}'", nameof(witness));
    private readonly Uri _address = new($"{witness.Url.TrimEnd('/')}/add-checkpoint");
    private long _seen;

    protected override async Task GoAsync(Action delivered, CancellationToken stopping)
    {
        for (LogCheckpoint? last = null; ;)
        {
            var shown = await NextAsync(last, stopping);
            if (await AskAsync(shown, stopping))
                delivered();
            last = shown;
        }
    }

    private async Task<bool> AskAsync(LogCheckpoint shown, CancellationToken stopping)
    {
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            if (_seen > shown.Checkpoint.Size)
                return await IsAheadAsync(stopping);
            var request = await requests.MakeAsync(_seen, shown, stopping);
            var (status, body) = await SendAsync(request, stopping);
            if (status == HttpStatusCode.OK)
            {
                await KeepAsync(request, body, stopping);
                return true;
            }
            if (status != HttpStatusCode.Conflict)
                return Refused(status, body);
            if (!long.TryParse(body.TrimEnd('\n'), NumberStyles.None, CultureInfo.InvariantCulture, out var seen))
                throw new IOException($"expected the size that the witness has seen, found '{Short(body)}'");
            if (seen == shown.Checkpoint.Size && seen == request.OldSize)
            {
                Board.Raise(Place, $"it has another root for the tree of {seen} leaves than this log");
                return false;
            }
            _seen = seen;
        }
        throw new IOException($"it stood at another size each of {Tries} times");
    }

    private bool Refused(HttpStatusCode status, string body)
    {
        if (status == HttpStatusCode.UnprocessableEntity)
            Board.Raise(Place, $"it has seen a tree of {_seen} leaves that the tree of this log does not go on from");
        _seen = 0;
        throw new IOException($"it answered {(int)status}: {Short(body)}");
    }

    // Somebody else may have shown it something newer than what came here.
    private async Task<bool> IsAheadAsync(CancellationToken stopping)
    {
        var now = await requests.NewestAsync(stopping);
        if (now is null || now.Checkpoint.Size < _seen)
            Board.Raise(Place, $"it says that it has seen {_seen} leaves, this log has {now?.Checkpoint.Size ?? 0}");
        _seen = 0;
        return false;
    }

    private async Task KeepAsync(WitnessRequest request, string body, CancellationToken stopping)
    {
        if (!SignedNote.TryParseSignatures(body, out var signatures))
            throw new IOException($"expected signature lines, found '{Short(body)}'");
        var own = signatures.Where(s => s.KeyId == _key.Id && s.Name == _key.Name).ToArray();
        if (own.Length == 0 || request.Note.With(own).Verify(_key) != NoteVerdict.Good)
            throw new IOException($"expected a cosignature by {_key}, found none that verifies");
        _seen = request.Checkpoint.Size;
        await requests.CosignAsync(_seen, own, stopping);
        Board.Calm(Place);
        Board.Cosigned(Place, _seen);
    }

    private async Task<(HttpStatusCode Status, string Body)> SendAsync(WitnessRequest request, CancellationToken stopping)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        patience.CancelAfter(Options.AnswerTimeout);
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(request.ToString()));
        using var answer = await http.PostAsync(_address, content, patience.Token);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(patience.Token));
    }

    private static string Short(string text) => text.Length <= 200 ? text.TrimEnd('\n') : text[..200];
}
