namespace Governor.Watchers.Tests.Support;

/// <summary>Answers that were recorded from a kube-apiserver 1.26.4.</summary>
internal static class Fixture
{
    public static string Text(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Fixtures", name));

    public static string[] Lines(string name) => Text(name).Split('\n', StringSplitOptions.RemoveEmptyEntries);
}
