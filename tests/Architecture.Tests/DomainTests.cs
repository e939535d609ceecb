using System.Reflection;
using System.Security.Cryptography;
using Governor.Architecture.Tests.Support;
using Governor.Domain.Audit;
using Governor.Domain.Facts;
using Governor.Domain.Signing;
using Governor.Domain.Transparency;

namespace Governor.Architecture.Tests;

/// <summary>Domain decides; it does not look at clocks, roll dice, wait, or touch anything outside of it. Read from its compiled code.</summary>
public sealed class DomainTests
{
    private static readonly Assembly Domain = typeof(Fact).Assembly;

    private static readonly string[] Namespaces =
        ["System.IO", "System.Net", "System.Threading", "System.Diagnostics", "System.Data", "System.Reflection.Emit", "Microsoft"];

    private static readonly Type[] Types =
        [typeof(Random), typeof(RandomNumberGenerator), typeof(Console), typeof(Environment), typeof(AppContext), typeof(TimeProvider), typeof(GC)];

    private static readonly (Type Type, string Member)[] Members =
    [
        (typeof(DateTime), "get_Now"), (typeof(DateTime), "get_UtcNow"), (typeof(DateTime), "get_Today"),
        (typeof(DateTimeOffset), "get_Now"), (typeof(DateTimeOffset), "get_UtcNow"),
        (typeof(Guid), "NewGuid"), (typeof(Guid), "CreateVersion7"),
        (typeof(TimeZoneInfo), "get_Local"),
    ];

    /// <summary>Who may, what, and why. Nothing here is called by a decision.</summary>
    private static readonly (string User, string Used, string Why)[] Exceptions =
    [
        (typeof(AuditExportWriter).FullName!, "System.IO", "writes an export to a stream that its caller has opened"),
        (typeof(AuditExportWriter).FullName!, "System.Threading", "writing to its caller's stream waits for it"),
        (typeof(AuditVerifier).FullName!, "System.IO", "reads exports from streams that its caller has opened"),
        (typeof(AuditExportReader).FullName!, "System.IO", "reads an export from a stream that its caller has opened"),
        ("Governor.Domain.Audit.MergedTrail", "System.IO", "hands each of these streams to an ExportFile"),
        ("Governor.Domain.Audit.ExportFile", "System.IO", "hands its stream to a LineReader"),
        (typeof(TileProofs).FullName!, "System.Threading", "waits for the tiles that its caller reads"),
        ("Governor.Domain.Audit.LineReader", "System.IO", "splits that stream into lines"),
        (typeof(AuditPayload).FullName!, "System.Security.Cryptography.RandomNumberGenerator", "the salt of a payload commitment, drawn when the journal writes the event"),
        (typeof(Ed25519).FullName!, "System.Security.Cryptography.RandomNumberGenerator", "makes the seed of a new key, for whoever makes keys"),
    ];

    [Fact]
    public void Domain_does_no_IO_reads_no_clock_draws_no_random_and_waits_for_nothing()
    {
        var wrong = Uses().Where(use => !Exceptions.Any(exception => Covers(exception, use))).Select(use => use.ToString()).Order(StringComparer.Ordinal).ToArray();

        Assert.True(wrong.Length == 0, $"what a decision needs comes in as its input; the clock comes in as 'now':\n  {string.Join("\n  ", wrong)}");
    }

    [Fact]
    public void Every_exception_is_still_needed()
    {
        var uses = Uses().ToArray();
        var stale = Exceptions.Where(exception => !uses.Any(use => Covers(exception, use))).Select(exception => $"{exception.User}: {exception.Used} ({exception.Why})").ToArray();

        Assert.True(stale.Length == 0, $"remove from the exceptions:\n  {string.Join("\n  ", stale)}");
    }

    [Fact]
    public void Decisions_do_not_wait()
    {
        var wrong =
            from type in Domain.GetTypes()
            from method in type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            where method.Name.StartsWith("Decide", StringComparison.Ordinal)
            where !method.ReturnType.IsGenericType || method.ReturnType.GetGenericTypeDefinition() != typeof(Decision<>)
            select $"{type.FullName}.{method.Name} returns {method.ReturnType.Name}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void Only_the_signing_code_calls_native_code()
    {
        var wrong =
            from type in Domain.GetTypes()
            from method in type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly)
            where method.Attributes.HasFlag(MethodAttributes.PinvokeImpl) && Outermost(type).FullName != "Governor.Domain.Signing.LibCrypto"
            select $"{type.FullName}.{method.Name}";

        Assert.Empty(wrong);
    }

    [Fact]
    public void Domain_references_nothing_but_the_base_library_and_the_serialization_attributes()
    {
        string[] attributes = ["Governor.Embedded.Abstractions", "Orleans.Serialization.Abstractions", "Orleans.Serialization", "Orleans.Core.Abstractions"];
        var wrong = Domain.GetReferencedAssemblies().Select(assembly => assembly.Name!)
            .Where(name => !name.StartsWith("System.", StringComparison.Ordinal) && !attributes.Contains(name))
            .ToArray();

        Assert.Empty(wrong);
    }

    private static IEnumerable<IlReference> Uses() => IlReferences.Of(Domain)
        .Where(use => IsForbidden(use) && !IsCompilersOwn(use) && use.User.Namespace?.StartsWith("Governor.", StringComparison.Ordinal) == true);

    private static bool IsForbidden(IlReference use) =>
        Types.Contains(use.Used)
        || Namespaces.Any(forbidden => IsIn(use.Used, forbidden))
        || Members.Any(member => member.Type == use.Used && member.Member == use.Member);

    // Iterators compare thread ids, to be enumerable twice; attributes and assertions of System.Diagnostics do nothing by themselves.
    private static bool IsCompilersOwn(IlReference use) =>
        (use.Used == typeof(Environment) && use.Member is "get_CurrentManagedThreadId")
        || IsIn(use.Used, "System.Diagnostics.CodeAnalysis") || use.Used == typeof(System.Diagnostics.UnreachableException)
        || (IsIn(use.Used, "System.Threading") && use.Used == typeof(Interlocked));

    private static bool IsIn(Type type, string @namespace) =>
        type.Namespace is { } found && (found == @namespace || found.StartsWith($"{@namespace}.", StringComparison.Ordinal));

    private static bool Covers((string User, string Used, string Why) exception, IlReference use) =>
        exception.User == use.User.FullName && (exception.Used == use.Used.FullName || IsIn(use.Used, exception.Used));

    private static Type Outermost(Type type) => type.DeclaringType is { } outer ? Outermost(outer) : type;
}
