namespace Governor.Watchers.Tests.Support;

internal static class Kubeconfigs
{
    public static string WithToken(Uri server, string token = "secret-token", string cluster = "") =>
        With($"server: {server}{(cluster.Length == 0 ? "" : "\n    " + cluster)}", $"token: {token}");

    /// <param name="cluster">The fields of the cluster, the second and further lines indented by four.</param>
    /// <param name="user">The fields of the user, likewise.</param>
    public static string With(string cluster, string user) => $"""
        apiVersion: v1
        kind: Config
        current-context: here
        contexts:
        - name: here
          context: {"{"}cluster: c, user: u{"}"}
        clusters:
        - name: c
          cluster:
            {cluster.Replace("\n    ", "\n            ", StringComparison.Ordinal)}
        users:
        - name: u
          user:
            {user.Replace("\n    ", "\n            ", StringComparison.Ordinal)}
        """.Replace("\n        ", "\n", StringComparison.Ordinal);
}
