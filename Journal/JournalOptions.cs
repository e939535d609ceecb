using Governor.Domain.Audit;
using Governor.Domain.Transparency;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Governor.Journal;

/// <summary>Where the journal is and within which bounds it works.</summary>
public sealed class JournalOptions
{
    /// <summary>The silo's login. Its password is never logged.</summary>
    public string ConnectionString { get; set; } = "";

    /// <summary>A login that may create tables and roles; the silo's own when null.</summary>
    public string? MigrationConnectionString { get; set; }

    /// <summary>The role that the silo takes on after login, or "" to stay what the login is. The migrations grant it INSERT on events, never UPDATE or DELETE.</summary>
    public string Role { get; set; } = "governor_silo";

    /// <summary>Bring the schema up to date when the host starts.</summary>
    public bool Migrate { get; set; } = true;

    /// <summary>The log's name, in its checkpoints and on its key: a host name and path without scheme.</summary>
    public string Origin { get; set; } = "";

    /// <summary>
    /// The log's Ed25519 seed, 32 bytes; made with mode 0600 where it is absent. All silos of one log share it. Further keys are beside it,
    /// under its name and the 8 hex digits of their ids.
    /// </summary>
    public string LogKeyFile { get; set; } = "";

    /// <summary>Where the newest checkpoint is kept outside the database, or "" for nowhere. Best on a volume that is not restored with it.</summary>
    public string CheckpointFile { get; set; } = "";

    /// <summary>Commits per transaction, at most.</summary>
    public int MaxBatch { get; set; } = 256;

    /// <summary>Commits that wait for the writer, at most; whoever comes then waits for room.</summary>
    public int MaxQueued { get; set; } = 4096;

    /// <summary>How long a commit may wait for the database before it fails.</summary>
    public TimeSpan CommitTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long the server may work on one statement.</summary>
    public TimeSpan StatementTimeout { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>How old a checkpoint may get while there are newer events; at most a second.</summary>
    public TimeSpan CheckpointInterval { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often a silo that must not sign the log looks whether it may.</summary>
    public TimeSpan RecheckInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a commit can be repeated under its id.</summary>
    public TimeSpan CommitIdRetention { get; set; } = TimeSpan.FromDays(1);

    /// <summary>For how many months ahead partitions exist.</summary>
    public int PartitionsAhead { get; set; } = 2;

    /// <summary>Connections of this silo to the database, at most; two are the writer's and the sequencer's.</summary>
    public int MaxConnections { get; set; } = 16;
}

/// <summary>Collects everything that is wrong with the journal's options, each with where it is and how to set it.</summary>
public sealed class JournalOptionsValidator : IValidateOptions<JournalOptions>
{
    private const string Section = "Governor:Journal";

    public ValidateOptionsResult Validate(string? name, JournalOptions options)
    {
        var failures = new List<string>();
        Connection(failures, nameof(options.ConnectionString), options.ConnectionString);
        if (options.MigrationConnectionString is { } migration)
            Connection(failures, nameof(options.MigrationConnectionString), migration);
        if (options.Role.Any(c => !char.IsAsciiLetterOrDigit(c) && c != '_'))
            Fail(failures, nameof(options.Role), "a role name of letters, digits and underscores, or \"\"", $"'{options.Role}'");
        if (!VerifierKey.IsName(options.Origin))
            Fail(failures, nameof(options.Origin), "a name such as governor.example.com/log, without white space or '+'", $"'{options.Origin}'");
        if (options.LogKeyFile.Length == 0)
            Fail(failures, nameof(options.LogKeyFile), "the path of the log's key; it is made where it is absent", "nothing");
        Between(failures, nameof(options.MaxBatch), options.MaxBatch, 1, 4096);
        Between(failures, nameof(options.MaxQueued), options.MaxQueued, 1, 1 << 20);
        Between(failures, nameof(options.PartitionsAhead), options.PartitionsAhead, 1, 24);
        Between(failures, nameof(options.MaxConnections), options.MaxConnections, 4, 1000);
        Between(failures, nameof(options.CommitTimeout), options.CommitTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(10));
        Between(failures, nameof(options.StatementTimeout), options.StatementTimeout, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10));
        Between(failures, nameof(options.CheckpointInterval), options.CheckpointInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromSeconds(1));
        Between(failures, nameof(options.RecheckInterval), options.RecheckInterval, TimeSpan.FromMilliseconds(10), TimeSpan.FromMinutes(10));
        Between(failures, nameof(options.CommitIdRetention), options.CommitIdRetention, TimeSpan.FromMinutes(10), TimeSpan.FromDays(365));
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static void Connection(List<string> failures, string option, string value)
    {
        // What is wrong is said without the value: it may hold a password.
        try
        {
            if (string.IsNullOrEmpty(new NpgsqlConnectionStringBuilder(value).Host))
                Fail(failures, option, "Host=…;Database=…;Username=…", value.Length == 0 ? "nothing" : "no Host");
        }
        catch (Exception e) when (e is ArgumentException or FormatException or KeyNotFoundException)
        {
            Fail(failures, option, "Host=…;Database=…;Username=…", "something that is not a connection string (not shown, it may hold a password)");
        }
    }

    private static void Between<T>(List<string> failures, string option, T value, T least, T most) where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
            Fail(failures, option, $"{least} to {most}", $"{value}");
    }

    private static void Fail(List<string> failures, string option, string expected, string found)
    {
        failures.Add($"{Section}:{option}: expected {expected}, found {found}; set it in the configuration file or as {Section.Replace(":", "__", StringComparison.Ordinal)}__{option} in the environment");
    }
}
