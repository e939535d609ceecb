using System.CommandLine;

namespace Governor.Cli.Audit;

/// <summary><c>governor audit …</c></summary>
internal static class AuditCommand
{
    public static Command Build() => new("audit", "Read, export, prove and verify the audit trail")
    {
        AuditListCommand.Build(),
        AuditExportCommand.Build(),
        AuditProveCommand.Build(),
        AuditVerifyCommand.Build(),
        AuditWatchCommand.Build(),
        AuditFsckCommand.Build(),
    };
}
