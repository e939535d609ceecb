using System.CommandLine;

namespace Governor.Cli.Audit;

/// <summary><c>governor audit …</c></summary>
internal static class AuditCommand
{
    public static Command Build() => new("audit", "Verify the audit trail")
    {
        AuditVerifyCommand.Build(),
    };
}
