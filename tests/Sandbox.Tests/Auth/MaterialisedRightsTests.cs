using System.Collections.Immutable;
using System.Text.Json.Nodes;
using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Kinds;
using Governor.Domain.Permissions;
using static Governor.Domain.Tests.Permissions.SmallUniverse;
using Question = Governor.Domain.Tests.Permissions.Question;

namespace Governor.Sandbox.Tests.Auth;

/// <summary>What permissions become grants what the evaluator grants and nothing else: the cluster's own authoriser is asked every question.</summary>
public sealed class MaterialisedRightsTests : ClusterFixture
{
    private static readonly Config Cases = Config.QuickThrowOnFailure.WithMaxTest(12).WithStartSize(20).WithEndSize(20);

    [Fact]
    public async Task The_cluster_allows_exactly_what_the_evaluator_allows()
    {
        foreach (var name in (string[])["blue", "green"])
            Assert.Equal(201, (await Admin.PostAsync("/api/v1/namespaces", $$"""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"{{name}}"} }""")).Code);
        var allowed = 0;
        Prop.ForAll(Grants.ToArbitrary(), grants => allowed += AgreesAsync(grants).GetAwaiter().GetResult()).Check(Cases);
        Assert.True(allowed > 0, "expected rights that are granted, found none: nothing was shown");
    }

    /// <returns>How many questions were allowed.</returns>
    private async Task<int> AgreesAsync(ImmutableArray<Grant> grants)
    {
        var permissions = EffectivePermissions.Compute(new Governor.Domain.Clusters.ClusterName("ccs-dev"), grants);
        var plan = Materialisation.Desired(permissions);
        Assert.Empty(plan.Impossible);
        foreach (var item in plan.Objects)
            Assert.True((await Admin.PostAsync(PathOf(item.Intent), item.Intent.Root.GetRawText())) is { Code: 201 } || item.IsShared, item.Id);
        var answers = await Task.WhenAll(Questions.Chunk(Questions.Length / 8 + 1).Select(AskAsync));
        foreach (var item in plan.Objects.Where(item => !item.IsShared))
            Assert.Equal(200, (await Admin.DeleteAsync($"{PathOf(item.Intent)}/{item.Intent.Name}")).Code);
        foreach (var (question, answer) in answers.SelectMany(part => part))
            Assert.True(answer == permissions.Allows(question.Principal, question.Group, question.Resource, question.Verb, question.Name, question.Namespace),
                $"{question}: the cluster says {answer}; {string.Join("; ", permissions.Principals.SelectMany(held => held.Rules))}");
        return answers.SelectMany(part => part).Count(one => one.Answer);
    }

    private async Task<List<(Question Question, bool Answer)>> AskAsync(Question[] questions)
    {
        var answers = new List<(Question, bool)>();
        foreach (var question in questions)
            answers.Add((question, await MayAsync(question)));
        return answers;
    }

    private async Task<bool> MayAsync(Question question)
    {
        var (resource, subresource) = question.Resource.Split('/') is [var whole, var part] ? (whole, part) : (question.Resource, "");
        var review = new JsonObject
        {
            ["apiVersion"] = "authorization.k8s.io/v1",
            ["kind"] = "SubjectAccessReview",
            ["spec"] = new JsonObject
            {
                ["user"] = question.Principal,
                ["resourceAttributes"] = new JsonObject
                {
                    ["namespace"] = question.Namespace, ["group"] = question.Group, ["resource"] = resource, ["subresource"] = subresource,
                    ["verb"] = question.Verb, ["name"] = question.Name,
                },
            },
        };
        var answer = await Admin.PostAsync("/apis/authorization.k8s.io/v1/subjectaccessreviews", review.ToJsonString());
        Assert.Equal(201, answer.Code);
        return answer.Json["status"]!["allowed"]!.GetValue<bool>();
    }

    private static string PathOf(KubeObject item) =>
        (item.Gvk.Group.Length == 0 ? "/api/v1" : $"/apis/{item.ApiVersion}")
        + (item.Namespace.Length == 0 ? "" : $"/namespaces/{item.Namespace}") + $"/{item.Kind.ToLowerInvariant()}s";
}
