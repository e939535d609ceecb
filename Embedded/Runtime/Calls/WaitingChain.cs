using System.Text;
using Governor.Embedded.Runtime.Activations;

namespace Governor.Embedded.Runtime.Calls;

/// <summary>Says who waits for whom, starting at a call that got no answer.</summary>
internal static class WaitingChain
{
    private const int Longest = 16;

    public static string From(GrainCall call, Func<Activation, GrainCall?> waitsOf)
    {
        var text = new StringBuilder("Waiting: ");
        text.Append(call.Source?.GrainId.ToString() ?? "outside");
        var seen = new List<Activation>();
        if (call.Source is not null)
            seen.Add(call.Source);

        for (var next = call; next is not null && seen.Count < Longest;)
        {
            text.Append(" -> ").Append(next.Target?.GrainId ?? next.Reference?.GrainId).Append(" (").Append(next.Method).Append(')');
            if (next.Target is not { } target)
                break;
            if (seen.Contains(target))
                return text.Append(": a cycle; its calls wait for each other.").ToString();
            seen.Add(target);
            next = waitsOf(target);
        }

        return text.Append('.').ToString();
    }
}
