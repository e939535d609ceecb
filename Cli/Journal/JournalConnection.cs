using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Journal;
using Governor.Journal.Log;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Governor.Cli.Journal;

/// <summary>
/// How the verbs that work on the database itself find it: the silo's own configuration file and the silo's own variables, so that
/// they also work when no silo does.
/// </summary>
internal sealed class JournalConnection
{
    private const string Section = "Governor:Journal";
    private const string Variable = "Governor__Journal__";
    private const string NotNeeded = "(none)";

    private static readonly JsonSerializerOptions Tolerant = new() { PropertyNameCaseInsensitive = true };

    private readonly Option<string?> _config = new("--config") { Description = "The silo's configuration file; GOVERNOR_CONFIG when absent. Governor__Journal__… in the environment wins over it" };

    private readonly Option<string?> _database = new("--database") { Description = "An Npgsql connection string without password, which comes from PGPASSWORD or a passfile; wins over everything" };

    public void AddTo(Command command)
    {
        command.Options.Add(_config);
        command.Options.Add(_database);
    }

    /// <summary>The journal's options as the silo would have them.</summary>
    /// <param name="signs">The verb writes events or signs; otherwise the log's name and keys are not asked for.</param>
    /// <exception cref="UsageException">They are not there, or wrong; says all that is.</exception>
    public JournalOptions Read(ParseResult parsed, bool signs)
    {
        var settings = FromFile(parsed.GetValue(_config) ?? Environment.GetEnvironmentVariable("GOVERNOR_CONFIG"));
        var options = settings.Deserialize<JournalOptions>(Tolerant) ?? new JournalOptions();
        options.ConnectionString = Variables(nameof(options.ConnectionString)) ?? options.ConnectionString;
        options.MigrationConnectionString = Variables(nameof(options.MigrationConnectionString)) ?? options.MigrationConnectionString;
        options.Origin = Variables(nameof(options.Origin)) ?? options.Origin;
        options.LogKeyFile = Variables(nameof(options.LogKeyFile)) ?? options.LogKeyFile;
        options.CheckpointFile = Variables(nameof(options.CheckpointFile)) ?? options.CheckpointFile;
        if (parsed.GetValue(_database) is { } database)
            (options.ConnectionString, options.MigrationConnectionString) = (database, null);
        if (!signs)
            (options.Origin, options.LogKeyFile) = (options.Origin.Length > 0 ? options.Origin : NotNeeded, NotNeeded);
        var verdict = new JournalOptionsValidator().Validate(null, options);
        return verdict.Failed
            ? throw new UsageException(string.Join("\n", ["the journal's settings cannot be used (--config FILE names the silo's):", .. verdict.Failures!]))
            : options;
    }

    /// <summary>The login with which the schema is owned.</summary>
    public static string Owner(JournalOptions options) => options.MigrationConnectionString ?? options.ConnectionString;

    /// <summary>The journal's parts as the silo wires them, with nothing of it running.</summary>
    public static ServiceProvider Open(JournalOptions options)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddJournal(configured =>
        {
            foreach (var property in typeof(JournalOptions).GetProperties())
                property.SetValue(configured, property.GetValue(options));
        });
        if (options.LogKeyFile == NotNeeded)
            services.Replace(ServiceDescriptor.Singleton<ILogSigner, NoLogKeys>());
        return services.BuildServiceProvider();
    }

    private static string? Variables(string option) => Environment.GetEnvironmentVariable(Variable + option);

    private static JsonNode FromFile(string? path)
    {
        if (path is null)
            return new JsonObject();
        try
        {
            var document = JsonNode.Parse(File.ReadAllText(path), documentOptions: new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            return document?[Section.Split(':')[0]]?[Section.Split(':')[1]] ?? new JsonObject();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            throw new UsageException($"--config: {path}: {e.Message}", e);
        }
    }
}
