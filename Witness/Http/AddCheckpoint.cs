using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Governor.Domain.Transparency;
using Governor.Grains.Interfaces.Ports;
using Governor.Witness.Memory;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Governor.Witness.Http;

/// <summary><c>POST /add-checkpoint</c> of C2SP tlog-witness.</summary>
internal sealed partial class AddCheckpoint(Notary notary, ILogger<AddCheckpoint> logger)
{
    private const string Text = "text/plain; charset=utf-8";
    private const string TreeSize = "text/x.tlog.size";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/add-checkpoint", AnswerAsync);
        routes.MapGet("/livez", () => Results.Text("ok"));
    }

    /// <summary>The status and the words for an answer that is no acceptance.</summary>
    public static (int Status, string Why) Explain(WitnessAnswer answer) => answer switch
    {
        WitnessAnswer.UnknownLog(var origin) => (StatusCodes.Status404NotFound, $"this witness does not watch the log '{origin}'"),
        WitnessAnswer.NotSigned => (StatusCodes.Status403Forbidden, "expected a signature by a key that is trusted for this log, found none"),
        WitnessAnswer.Backwards(var old, var size) =>
            (StatusCodes.Status400BadRequest, $"expected an old size of at most {size}, the size of the checkpoint, found {old}"),
        WitnessAnswer.OtherSize(var seen) => (StatusCodes.Status409Conflict, $"expected the old size {seen}"),
        WitnessAnswer.Forked(var seen, var shown) => (StatusCodes.Status409Conflict, $"expected the root {seen} for this size, found {shown}"),
        WitnessAnswer.NotProved => (StatusCodes.Status422UnprocessableEntity, "the proof does not lead from what was seen to this checkpoint"),
        _ => throw new ArgumentOutOfRangeException(nameof(answer)),
    };

    private async Task AnswerAsync(HttpContext http)
    {
        if (await ReadAsync(http.Request) is not { } body)
        {
            await SayAsync(http, StatusCodes.Status413PayloadTooLarge, Text, $"expected at most {WitnessRequest.MaximumBytes} bytes\n");
            return;
        }
        if (!Utf8.IsValid(body) || !WitnessRequest.TryParse(Encoding.UTF8.GetString(body), out var request, out var fault))
        {
            await SayAsync(http, StatusCodes.Status400BadRequest, Text, "expected the body of an add-checkpoint (C2SP tlog-witness) in UTF-8\n");
            return;
        }
        try
        {
            await AnswerAsync(http, await notary.JudgeAsync(request, Channel.Http, http.RequestAborted));
        }
        catch (Exception e) when (e is IOException or KubernetesException)
        {
            LogCannotRemember(e);
            await SayAsync(http, StatusCodes.Status503ServiceUnavailable, Text, "the witness cannot remember at the moment and therefore signs nothing\n");
        }
        catch (WitnessMemoryException)
        {
            // Said with level Critical where it was found.
            await SayAsync(http, StatusCodes.Status500InternalServerError, Text, "the witness' memory of this log cannot be believed; a human has to look at it\n");
        }
    }

    private static Task AnswerAsync(HttpContext http, NotaryVerdict verdict)
    {
        if (verdict.Cosignature is { } cosignature)
            return SayAsync(http, StatusCodes.Status200OK, Text, cosignature.ToString());
        var (status, why) = Explain(verdict.Answer);
        return status == StatusCodes.Status409Conflict
            ? SayAsync(http, status, TreeSize, string.Create(CultureInfo.InvariantCulture, $"{verdict.Memory.Seen?.Size ?? 0}\n"))
            : SayAsync(http, status, Text, $"{why}\n");
    }

    /// <returns>Null when it is too large.</returns>
    private static async Task<byte[]?> ReadAsync(HttpRequest request)
    {
        if (request.ContentLength > WitnessRequest.MaximumBytes)
            return null;
        var read = await request.BodyReader.ReadAtLeastAsync(WitnessRequest.MaximumBytes + 1, request.HttpContext.RequestAborted);
        var body = read.Buffer.Length > WitnessRequest.MaximumBytes ? null : read.Buffer.ToArray();
        request.BodyReader.AdvanceTo(read.Buffer.End);
        return body;
    }

    private static Task SayAsync(HttpContext http, int status, string type, string text)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = type;
        return http.Response.WriteAsync(text, http.RequestAborted);
    }

    [LoggerMessage(LogLevel.Error, "A checkpoint cannot be remembered, so nothing was signed; the log will come again")]
    private partial void LogCannotRemember(Exception exception);
}
