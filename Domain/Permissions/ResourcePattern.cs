namespace Governor.Domain.Permissions;

/// <summary>
/// The patterns of groups and resources. They form a tree: <c>*</c> over <c>*/status</c> over <c>pods/status</c>; so two patterns either
/// contain one another or share nothing, and their intersection is the narrower one or none.
/// </summary>
internal static class ResourcePattern
{
    public const string All = "*";

    /// <summary>The intersection of two groups, or null when it is empty.</summary>
    public static string? MeetGroups(string left, string right) =>
        left == right || right == All ? left : left == All ? right : null;

    /// <summary>The intersection of two resources, or null when it is empty.</summary>
    public static string? MeetResources(string left, string right)
    {
        if (left == right || right == All)
            return left;
        if (left == All)
            return right;
        return IsUnder(left, right) ? left : IsUnder(right, left) ? right : null;
    }

    /// <summary><c>*/status</c> for <c>pods/status</c>; null for a resource without subresource and for a pattern.</summary>
    public static string? SubresourceOfAll(string resource)
    {
        var slash = resource.IndexOf('/', StringComparison.Ordinal);
        return slash <= 0 || IsSubresourceOfAll(resource) ? null : $"*{resource[slash..]}";
    }

    public static bool IsSubresourceOfAll(string resource) => resource.StartsWith("*/", StringComparison.Ordinal) && resource.Length > 2;

    public static bool IsPattern(string resource) => resource == All || IsSubresourceOfAll(resource);

    private static bool IsUnder(string resource, string pattern) =>
        IsSubresourceOfAll(pattern) && resource.EndsWith(pattern[1..], StringComparison.Ordinal) && resource.Length >= pattern.Length
        && resource.IndexOf('/', StringComparison.Ordinal) == resource.Length - pattern.Length + 1;
}
