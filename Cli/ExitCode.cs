namespace Governor.Cli;

/// <summary>What a verb says to the shell.</summary>
public static class ExitCode
{
    public const int Ok = 0;

    /// <summary>It ran, and the answer is no: an object is missing, a trail was tampered with.</summary>
    public const int No = 1;

    /// <summary>It cannot be told: what was given ends too early, or who was asked does not answer.</summary>
    public const int Incomplete = 2;

    /// <summary>The command line, or a file that it names, cannot be used.</summary>
    public const int Usage = 3;
}
