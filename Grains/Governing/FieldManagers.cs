namespace Governor.Grains.Governing;

/// <summary>One field manager per subject, so that nobody's conditions erase anybody else's.</summary>
internal static class FieldManagers
{
    public const string Conductor = "governor-conductor";
    public const string Guardian = "governor-guardian";
    public const string Platform = "governor-platform";
    /// <summary>Of materialised RBAC, under the name that the reference implementation writes it.</summary>
    public const string Rbac = "guardian";

    public const string SeamCore = "governor-seam-core";
    public const string Wrapper = "governor-wrapper";
}
