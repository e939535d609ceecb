using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Governor.Client.Tests.Support;
using Governor.Sandbox.Faults;

namespace Governor.Client.Tests.Lies;

/// <summary>
/// The suite is of use only if it notices a server that does not keep its promises: here each promise is broken in turn, and the test
/// that relies on it has to fail. These run against sandboxes of their own, whichever server the others are run against.
/// </summary>
public sealed partial class LieTests
{
    private delegate Task Trial(Target target);

    private static readonly Dictionary<string, (Func<Passed, Passed> Lie, Trial Trial)> Deaf = new()
    {
        ["dryRun on a create"] = (Without("dryRun"), t => new ObjectTests(t).A_dry_run_answers_and_stores_nothing()),
        ["dryRun on an apply"] = (Without("dryRun"), t => new ApplyTests(t).A_dry_run_shows_what_would_be()),
        ["dryRun on a delete"] = (Unsaid("dryRun"), t => new DeleteTests(t).A_dry_run_deletes_nothing()),
        ["preconditions"] = (Unsaid("preconditions"), t => new DeleteTests(t).Only_the_very_object_in_the_very_state_is_deleted()),
        ["propagationPolicy"] = (Unsaid("propagationPolicy"), t => new DeleteTests(t).What_becomes_of_dependents_is_written_on_the_object_first()),
        ["labelSelector of a list"] = (Without("labelSelector"), t => new ListTests(t).Objects_are_selected_by_their_labels()),
        ["labelSelector of a watch"] = (Without("labelSelector"), t => new WatchTests(t).Entering_and_leaving_a_selection_are_events()),
        ["labelSelector of a deletecollection"] = (Without("labelSelector"), t => new DeleteTests(t).A_selection_is_deleted_at_once_and_nothing_beside_it()),
        ["fieldSelector"] = (Without("fieldSelector"), t => new WatchTests(t).One_object_is_watched_by_its_name()),
        ["resourceVersionMatch"] = (r => Without("resourceVersion")(Without("resourceVersionMatch")(r)), t => new ListTests(t).A_list_can_be_of_an_exact_state_or_of_any_that_is_new_enough()),
        ["continue"] = (Without("continue"), t => new ListTests(t).Pages_are_one_state_whatever_is_written_meanwhile()),
        ["fieldValidation"] = (Without("fieldValidation"), t => new SchemaTests(t).Asked_to_be_strict_the_server_refuses_unknown_and_duplicate_fields()),
        ["the absence of force"] = (r => r.ContentType == Wire.Apply && !r.Query.Contains("force", StringComparison.Ordinal) ? r with { Query = r.Query + "&force=true" } : r,
            t => new ApplyTests(t).A_conflict_lists_who_owns_which_field_and_changes_nothing()),
        ["fieldManager"] = (r => r with { Query = Manager().Replace(r.Query, "fieldManager=everybody") }, t => new ApplyTests(t).Two_managers_keep_their_conditions_beside_each_other()),
        ["the status subresource"] = (r => r with { Path = r.Path.EndsWith("/status", StringComparison.Ordinal) ? r.Path[..^"/status".Length] : r.Path },
            t => new ObjectTests(t).Spec_and_status_are_written_apart()),
        ["resourceVersion of an update"] = (Blind, t => new ObjectTests(t).Many_who_count_together_count_right()),
        ["resourceVersion of a watch"] = (r => r.Query.Contains("watch=true", StringComparison.Ordinal) ? Without("resourceVersion")(r) : r,
            t => new WatchTests(t).What_happened_meanwhile_is_replayed_one_by_one()),
        ["the end of a finalizer"] = (r => r with { Body = r.Body.Replace("\"finalizers\":null", "\"labels\":null", StringComparison.Ordinal) },
            t => new DeleteTests(t).An_object_with_a_finalizer_goes_when_the_last_one_is_removed()),
    };

    private static readonly Dictionary<string, (Action<SandboxFaults> Lie, Trial Trial)> Faulty = new()
    {
        ["an event is lost"] = (f => f.ArmEvent(e => e.Type == "MODIFIED", EventFate.Drop), t => new WatchTests(t).Every_change_after_the_list_comes_once_and_in_order()),
        ["an event comes twice"] = (f => f.ArmEvent(e => e.Type == "ADDED", EventFate.Duplicate), t => new WatchTests(t).Every_change_after_the_list_comes_once_and_in_order()),
        ["events change places"] = (f => f.ArmEvent(e => e.Type == "MODIFIED", EventFate.Reorder), t => new WatchTests(t).Of_concurrent_writers_no_write_is_lost_and_versions_only_rise()),
        ["a watch ends early"] = (f => f.ArmEvent(e => e.Type == "MODIFIED", EventFate.End), t => new WatchTests(t).Every_change_after_the_list_comes_once_and_in_order()),
        ["a list lags behind"] = (f => f.Arm(r => r is { Verb: "list", Resource: "gears" }, new FaultEffect.Lag(2), count: int.MaxValue), t => new ListTests(t).A_list_shows_what_is_there()),
        ["a get lags behind"] = (f => f.Arm(r => r is { Verb: "get", Resource: "gears" }, new FaultEffect.Lag(1), count: int.MaxValue), t => new ObjectTests(t).Of_two_who_read_and_write_the_second_is_told()),
        ["a body breaks"] = (f => f.Arm(r => r is { Verb: "list", Resource: "gears" }, new FaultEffect.BreakBody(20), count: int.MaxValue), t => new ListTests(t).A_list_of_many_pages_is_read_whole()),
        ["nobody is refused"] = (f => f.Arm(r => r.Path.EndsWith("/tokenreviews", StringComparison.Ordinal), new FaultEffect.Fail(500)), t => new AccessTests(t).A_bad_token_is_reviewed_and_found_to_be_nobodys()),
    };

    public static TheoryData<string> DeafTo => [.. Deaf.Keys];

    public static TheoryData<string> Faults => [.. Faulty.Keys];

    [Theory]
    [MemberData(nameof(DeafTo))]
    public async Task A_server_that_does_not_hear_is_found_out(string what)
    {
        var (lie, trial) = Deaf[what];
        var lying = false;
        await using var server = await LyingServer.StartAsync(r => lying ? lie(r) : r);
        var target = new Target(sandbox =>
        {
            server.Honest = sandbox.Url;
            return sandbox.Kubeconfig.Replace(sandbox.Url.GetLeftPart(UriPartial.Authority), server.Url.GetLeftPart(UriPartial.Authority), StringComparison.Ordinal);
        });
        await target.InitializeAsync();
        try
        {
            await trial(target);
            await trial(target); // as long as it is honest, all is well, however often
            lying = true;
            await Assert.ThrowsAnyAsync<Exception>(() => trial(target));
        }
        finally
        {
            lying = false;
            await target.DisposeAsync();
        }
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task A_server_at_fault_is_found_out(string what)
    {
        var (lie, trial) = Faulty[what];
        SandboxFaults? faults = null;
        var target = new Target(sandbox =>
        {
            faults = sandbox.Faults;
            return sandbox.Kubeconfig;
        });
        await target.InitializeAsync();
        try
        {
            await trial(target);
            lie(faults!);
            await Assert.ThrowsAnyAsync<Exception>(() => trial(target));
        }
        finally
        {
            faults!.Clear();
            await target.DisposeAsync();
        }
    }

    /// <summary>Does not hear a parameter of the query.</summary>
    private static Func<Passed, Passed> Without(string parameter) => r =>
    {
        var left = r.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Where(p => p.Split('=')[0] != parameter).ToArray();
        return r with { Query = left.Length == 0 ? "" : "?" + string.Join('&', left) };
    };

    /// <summary>Does not hear a member of the options that a delete brings.</summary>
    private static Func<Passed, Passed> Unsaid(string member) => r =>
    {
        if (r.Method != "DELETE" || r.Body.Length == 0 || JsonNode.Parse(r.Body) is not JsonObject options)
            return r;
        options.Remove(member);
        return r with { Body = options.ToJsonString() };
    };

    private static Passed Blind(Passed r)
    {
        if (r.Method != "PUT" || JsonNode.Parse(r.Body) is not JsonObject update)
            return r;
        update["metadata"]!.AsObject().Remove("resourceVersion");
        return r with { Body = update.ToJsonString() };
    }

    [GeneratedRegex("fieldManager=[^&]*")]
    private static partial Regex Manager();
}
