using Governor.Embedded.Runtime.Activations;
using Governor.Embedded.Runtime.Calls;
using Governor.Embedded.Runtime.Hosting;

namespace Orleans.Runtime;

/// <summary>A name for a grain that can be called. Two references are equal when they name the same grain.</summary>
public class GrainReference : IAddressable, IEquatable<GrainReference>
{
    /// <summary>The activation that served the last call, to save the look-up; it says itself when it is no longer the one.</summary>
    private Activation? lastActivation;

    internal GrainReference(Silo silo, GrainId grainId, GrainInterfaceType interfaceType)
    {
        Silo = silo;
        GrainId = grainId;
        InterfaceType = interfaceType;
    }

    public GrainId GrainId { get; }

    public GrainInterfaceType InterfaceType { get; }

    public virtual string InterfaceName => InterfaceType.ToString();

    internal Silo Silo { get; }

    internal Activation? LastActivation
    {
        get => Volatile.Read(ref lastActivation);
        set => Volatile.Write(ref lastActivation, value);
    }

    public virtual TGrainInterface Cast<TGrainInterface>()
        where TGrainInterface : IAddressable => this.AsReference<TGrainInterface>();

    public bool Equals(GrainReference? other) => other is not null && GrainId.Equals(other.GrainId);

    public override bool Equals(object? obj) => Equals(obj as GrainReference);

    public override int GetHashCode() => GrainId.GetHashCode();

    public sealed override string ToString() => $"{GrainId} as {InterfaceName}";

    public static bool operator ==(GrainReference? reference1, GrainReference? reference2) =>
        reference1 is null ? reference2 is null : reference1.Equals(reference2);

    public static bool operator !=(GrainReference? reference1, GrainReference? reference2) => !(reference1 == reference2);

    internal Task Send(VoidCall call) => Silo.Calls.Send(this, call);

    internal Task<T> Send<T>(ValueCall<T> call) => Silo.Calls.Send(this, call);

    internal void SendOneWay(GrainCall call) => Silo.Calls.SendOneWay(this, call);
}
