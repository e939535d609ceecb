using Governor.Domain.Approvals;

namespace Governor.Grains.Approvals;

/// <summary>Who may not decide, and how long a request waits.</summary>
public sealed class ApprovalOptions
{
    public const string Section = "Governor:Approvals";

    /// <summary>Whoever is in one of these groups is labelled as AI: drafts and reads, never decides. What is configured comes in addition.</summary>
    public List<string> AiGroups { get; set; } = ["governor:ai"];

    /// <summary>How long a request waits for its decision; between a minute and 90 days.</summary>
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>The same, as decisions take it.</summary>
    public ApprovalPolicy ToPolicy() => new([.. AiGroups], Lifetime);
}
