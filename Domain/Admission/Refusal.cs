using System.Collections.Immutable;
using Governor.Domain.Approvals;
using Governor.Domain.Kinds;
using Orleans;

namespace Governor.Domain.Admission;

/// <summary>A write that was denied, or would have been: what the audit trail says of it.</summary>
/// <param name="Id">The review's, so that it is recorded once however often it is told.</param>
/// <param name="Wanted">CREATE, UPDATE or DELETE.</param>
/// <param name="WasDenied">False where the namespace is only observed.</param>
/// <param name="Count">So many alike, this one included; the text is the last one's.</param>
[GenerateSerializer, Immutable]
public sealed record Refusal(
    string Id, GroupVersionKind Kind, ObjectKey Object, string Uid, long Generation, Caller By, string Wanted, string Rule, string Field, string Message,
    bool WasDenied, int Count, DateTimeOffset At)
{
    /// <summary>Kept of the groups: whoever can choose his groups chooses how many.</summary>
    private const int MostGroups = 16;

    private const int LongestName = 512;

    /// <summary>What has to be recorded of a verdict; null when there is nothing, or nothing may be remembered.</summary>
    public static Refusal? Of(AdmissionRequest request, AdmissionVerdict verdict, DateTimeOffset now) =>
        verdict.Objections is not [var first, ..] || request.IsDryRun ? null : new Refusal(
            request.Uid, request.Kind, new ObjectKey(Short(request.Namespace), Short(request.Name)), request.Subject?.Uid ?? "", request.Subject?.Generation ?? 0,
            new Caller(Short(request.By.Name), [.. request.By.Groups.Take(MostGroups).Select(Short)]), request.Operation.ToString().ToUpperInvariant(),
            first.Rule, first.Where, Objection.Shown(verdict.Message, 2048), !verdict.Allowed, 1, now);

    private static string Short(string text) => Objection.Shown(text, LongestName);
}
