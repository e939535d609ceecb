namespace Governor.Cli;

/// <summary>The command line, or a file that it names, cannot be used; the message says what, where, expected, found.</summary>
public sealed class UsageException(string message, Exception? inner = null) : Exception(message, inner);
