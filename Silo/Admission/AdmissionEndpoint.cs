using System.Diagnostics;
using System.Globalization;
using Governor.Domain.Admission;
using Governor.Domain.Approvals;
using Microsoft.Extensions.Options;

namespace Governor.Silo.Admission;

/// <summary>
/// One review: read, judged, answered. What it says is used for this answer and for the record of a refusal, and for nothing else: whoever
/// can reach the port can say anything.
/// </summary>
internal sealed partial class AdmissionEndpoint(
    ConfiguredPolicy policy, BootstrapReading bootstrap, RefusalRecorder recorder, AdmissionMetrics metrics, IOptions<AdmissionOptions> options, TimeProvider clock,
    ILogger<AdmissionEndpoint> logger)
{
    public async Task AnswerAsync(HttpContext context, AdmissionCall call)
    {
        var since = Stopwatch.GetTimestamp();
        if (!context.Request.HasJsonContentType())
        {
            metrics.Answered(call, AdmissionMetrics.Malformed, since);
            await RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, $"Content-Type: expected application/json, found '{context.Request.ContentType}'");
            return;
        }
        if (await ReadAsync(context.Request) is not { } body)
        {
            metrics.Answered(call, AdmissionMetrics.Malformed, since);
            await RefuseAsync(
                context, StatusCodes.Status413PayloadTooLarge,
                string.Create(CultureInfo.InvariantCulture, $"body: expected at most {options.Value.MaxReviewBytes} bytes ({AdmissionOptions.Section}:{nameof(options.Value.MaxReviewBytes)}), found more"));
            return;
        }
        var review = ReviewReader.Read(body.GetBuffer().AsSpan(0, (int)body.Length));
        if (review.Value is not { } request)
        {
            metrics.Answered(call, AdmissionMetrics.Malformed, since);
            LogMalformed(logger, call.Path, review.Summary());
            await RefuseAsync(context, StatusCodes.Status400BadRequest, review.Summary());
            return;
        }
        var isOpen = AdmissionRules.DependsOnBootstrap(call) && await bootstrap.IsOpenAsync();
        var verdict = AdmissionRules.Judge(call, request, policy.Policy, isOpen);
        if (Refusal.Of(request, verdict, clock.GetUtcNow()) is { } refusal)
            await recorder.RecordAsync(refusal);
        metrics.Answered(call, verdict, since);
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(ReviewWriter.Write(request.Uid, verdict), context.RequestAborted);
    }

    /// <summary>Null when it is too large.</summary>
    private async Task<MemoryStream?> ReadAsync(HttpRequest request)
    {
        if (request.ContentLength > options.Value.MaxReviewBytes)
            return null;
        var body = new MemoryStream((int)(request.ContentLength ?? 16 * 1024));
        try
        {
            await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
            return body;
        }
        catch (BadHttpRequestException e) when (e.StatusCode == StatusCodes.Status413PayloadTooLarge)
        {
            return null;
        }
    }

    private static Task RefuseAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(Objection.Shown(why, 4096), context.RequestAborted);
    }

    [LoggerMessage(LogLevel.Warning, "{Path} was sent what is no review: {Faults}")]
    private static partial void LogMalformed(ILogger logger, string path, string faults);
}
