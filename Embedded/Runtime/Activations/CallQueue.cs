using Governor.Embedded.Runtime.Calls;

namespace Governor.Embedded.Runtime.Activations;

/// <summary>The requests that wait for an activation, linked through themselves, and how many of them may interleave.</summary>
internal struct CallQueue
{
    private GrainCall? head;
    private GrainCall? tail;

    public int Length { get; private set; }

    public int Interleaving { get; private set; }

    public int ReadOnly { get; private set; }

    public readonly bool IsEmpty => head is null;

    public readonly GrainCall? First => head;

    public void Enqueue(GrainCall call)
    {
        Count(call, 1);
        if (tail is null)
            head = call;
        else
            tail.Next = call;
        tail = call;
    }

    /// <summary>Takes the first that passes; null when none does.</summary>
    public GrainCall? Take<TState>(TState state, Func<TState, GrainCall, bool> may)
    {
        GrainCall? previous = null;
        for (var call = head; call is not null; previous = call, call = call.Next)
        {
            if (!may(state, call))
                continue;
            Unlink(previous, call);
            return call;
        }

        return null;
    }

    public GrainCall? TakeFirst()
    {
        var call = head;
        if (call is not null)
            Unlink(null, call);
        return call;
    }

    private void Unlink(GrainCall? previous, GrainCall call)
    {
        if (previous is null)
            head = call.Next;
        else
            previous.Next = call.Next;
        if (ReferenceEquals(tail, call))
            tail = previous;
        call.Next = null;
        Count(call, -1);
    }

    private void Count(GrainCall call, int by)
    {
        Length += by;
        if (call.IsAlwaysInterleave)
            Interleaving += by;
        else if (call.IsReadOnly)
            ReadOnly += by;
    }
}
