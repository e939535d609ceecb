using System.CommandLine;

namespace Governor.Cli.Auth;

/// <summary><c>governor auth</c>: who may do what on which cluster, as kubectl asks it.</summary>
internal static class AuthCommand
{
    public static Command Build() => new("auth", "Ask who may do what on a governed cluster")
    {
        CanICommand.Build(),
        WhoCanCommand.Build(),
    };
}
