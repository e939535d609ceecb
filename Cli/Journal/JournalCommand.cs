using System.CommandLine;

namespace Governor.Cli.Journal;

/// <summary><c>governor journal …</c>: on the database itself, whether a silo runs or not.</summary>
internal static class JournalCommand
{
    public static Command Build() => new("journal", "Back up, restore, drill and archive the journal; change the log's keys")
    {
        BackupCommand.Build(),
        RestoreCommand.Build(),
        DrillCommand.Build(),
        ArchiveCommand.Build(),
        KeysCommand.Build(),
    };

    /// <summary>Who does it, for the record: whom the operating system knows, unless it is said.</summary>
    public static Option<string> Actor() => new("--actor")
    {
        Description = "Who does it, for the record",
        DefaultValueFactory = _ => $"os:{Environment.UserName}@{Environment.MachineName}",
    };

    public static Option<string> Because() => new("--because") { Description = "Why, for the record", Required = true };

    public static Option<string?> Programs() => new("--postgres-programs") { Description = "The folder of pg_dump and pg_restore" };
}
