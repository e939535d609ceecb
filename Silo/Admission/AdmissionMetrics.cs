using System.Diagnostics;
using System.Diagnostics.Metrics;
using Governor.Domain.Admission;

namespace Governor.Silo.Admission;

/// <summary>What is measured of the webhooks. Meter <see cref="MeterName"/>.</summary>
internal sealed class AdmissionMetrics : IDisposable
{
    public const string MeterName = "Governor.Admission";

    /// <summary>What was answered that is no verdict.</summary>
    public const string Malformed = "malformed";

    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _requests;
    private readonly Counter<long> _denials;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _committed;
    private readonly Counter<long> _lost;
    private readonly UpDownCounter<int> _waiting;

    public AdmissionMetrics()
    {
        _requests = _meter.CreateCounter<long>("governor.admission.requests", "{request}", "Reviews that were answered, by webhook and outcome: allowed, observed (an objection where writes are only observed), denied, malformed.");
        _denials = _meter.CreateCounter<long>("governor.admission.denials", "{request}", "Writes that were denied, by webhook and rule.");
        _duration = _meter.CreateHistogram<double>("governor.admission.duration", "s", "From the request to its answer, by webhook; a refusal waits for its event.");
        _committed = _meter.CreateCounter<long>("governor.admission.refusals.committed", "{event}", "Refusals whose event the journal has confirmed.");
        _lost = _meter.CreateCounter<long>("governor.admission.refusals.lost", "{event}", "Refusals that found no room to wait in, and are not in the audit trail.");
        _waiting = _meter.CreateUpDownCounter<int>("governor.admission.refusals.waiting", "{event}", "Refusals that wait for the journal.");
    }

    public void Dispose() => _meter.Dispose();

    public void Answered(AdmissionCall call, AdmissionVerdict verdict, long since)
    {
        Answered(call, verdict.Objections.IsEmpty ? "allowed" : verdict.Allowed ? "observed" : "denied", since);
        if (!verdict.Allowed)
            _denials.Add(1, Webhook(call), new KeyValuePair<string, object?>("rule", verdict.Objections[0].Rule));
    }

    public void Answered(AdmissionCall call, string outcome, long since)
    {
        _requests.Add(1, Webhook(call), new KeyValuePair<string, object?>("outcome", outcome));
        _duration.Record(Stopwatch.GetElapsedTime(since).TotalSeconds, Webhook(call));
    }

    public void Waits() => _waiting.Add(1);

    public void Committed(int refusals)
    {
        _committed.Add(refusals);
        _waiting.Add(-refusals);
    }

    public void Lost() => _lost.Add(1);

    private static KeyValuePair<string, object?> Webhook(AdmissionCall call) => new("webhook", call.Path);
}
