using Governor.Client.Tests.Support;

namespace Governor.Client.Tests;

/// <summary>Who asks and what he may: the answers that the product's own endpoints rest on.</summary>
[Collection(Server.Name)]
public sealed class AccessTests(Target target)
{
    private const string Authentication = "apis/authentication.k8s.io/v1/tokenreviews";
    private const string SubjectAccess = "apis/authorization.k8s.io/v1/subjectaccessreviews";
    private const string SelfSubjectAccess = "apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    private string Roles => $"apis/rbac.authorization.k8s.io/v1/namespaces/{target.Namespace}";

    [ReliesOn("TokenReview: 201 also for a bad token, authenticated absent or false")]
    public async Task A_bad_token_is_reviewed_and_found_to_be_nobodys()
    {
        var review = await ReviewAsync("no-such-token");

        Assert.Equal((201, "TokenReview"), (review.Code, review.Kind));
        Assert.NotEqual("true", review.At("status", "authenticated")?.ToJsonString());
    }

    [ReliesOn("TokenRequest and TokenReview of a service account")]
    public async Task A_service_accounts_token_is_its_own()
    {
        var (name, token) = await ServiceAccountAsync();

        var review = await ReviewAsync(token);

        Assert.Equal("true", review.At("status", "authenticated")?.ToJsonString());
        Assert.Equal($"system:serviceaccount:{target.Namespace}:{name}", review.Find("status", "user", "username"));
        Assert.Contains(
            $"system:serviceaccounts:{target.Namespace}", review.At("status", "user", "groups")!.AsArray().Select(g => g!.GetValue<string>()));
    }

    [ReliesOn("401 Unauthorized for a token that nobody knows")]
    public async Task A_caller_with_a_bad_token_is_not_let_in()
    {
        var refusal = await target.As("no-such-token").GetAsync(target.ConfigMaps);

        Assert.Equal((401, "Unauthorized"), (refusal.Code, refusal.Reason));
    }

    [ReliesOn("403 Forbidden")]
    public async Task A_caller_without_rights_is_told_what_he_lacks()
    {
        await RequireRightsAsync();
        var (_, token) = await ServiceAccountAsync();

        var refusal = await target.As(token).GetAsync($"{target.ConfigMaps}/secret-plans");

        Assert.Equal((403, "Forbidden", "secret-plans", "configmaps"), (refusal.Code, refusal.Reason, refusal.Find("details", "name"), refusal.Find("details", "kind")));
    }

    [ReliesOn("SelfSubjectAccessReview")]
    public async Task We_may_do_what_these_tests_do()
    {
        var review = await target.Wire.PostAsync(
            SelfSubjectAccess,
            $$$$"""{"apiVersion":"authorization.k8s.io/v1","kind":"SelfSubjectAccessReview","spec":{"resourceAttributes":{"namespace":"{{{{target.Namespace}}}}","verb":"create","resource":"configmaps"}}}""");

        Assert.Equal((201, "true"), (review.Code, review.At("status", "allowed")?.ToJsonString()));
    }

    [ReliesOn("SubjectAccessReview and RBAC")]
    public async Task A_binding_gives_rights_and_its_end_takes_them()
    {
        await RequireRightsAsync();
        var user = $"reader-{target.Run}";
        Assert.False(await MayAsync(user, "get"));

        var role = await target.Wire.PostAsync(
            $"{Roles}/roles", """{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"reader"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":["get"]}]}""");
        Assert.True(role.Code == 201, role.ToString());
        var binding = await target.Wire.PostAsync(
            $"{Roles}/rolebindings",
            $$"""{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"name":"reader"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"reader"},"subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"{{user}}"}]}""");
        Assert.True(binding.Code == 201, binding.ToString());

        await target.EventuallyAsync("the binding is in force", () => MayAsync(user, "get"));
        Assert.False(await MayAsync(user, "delete"));
        Assert.Equal(200, (await target.Wire.DeleteAsync($"{Roles}/rolebindings/reader")).Code);
        await target.EventuallyAsync("the binding is over", async () => !await MayAsync(user, "get"));
    }

    [ReliesOn("SubjectAccessReview: somebody has to be asked about")]
    public async Task A_review_of_nobody_is_refused()
    {
        var refusal = await target.Wire.PostAsync(
            SubjectAccess, """{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{"resourceAttributes":{"verb":"get","resource":"configmaps"}}}""");

        Assert.Equal((422, "Invalid"), (refusal.Code, refusal.Reason));
    }

    private async Task<bool> MayAsync(string user, string verb)
    {
        var review = await target.Wire.PostAsync(
            SubjectAccess,
            $$$$"""{"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview","spec":{"user":"{{{{user}}}}","groups":["system:authenticated"],"resourceAttributes":{"namespace":"{{{{target.Namespace}}}}","verb":"{{{{verb}}}}","resource":"configmaps"}}}""");
        Assert.True(review.Code == 201, review.ToString());
        return review.At("status", "allowed")!.GetValue<bool>();
    }

    /// <summary>A server may be told to allow everything to everybody; it then says so when it is asked about somebody who is nobody.</summary>
    private async Task RequireRightsAsync()
    {
        if (await MayAsync($"nobody-{target.Run}", "delete"))
            throw new LackingException("the server allows everything to everybody");
        if ((await target.Wire.GetAsync("apis/rbac.authorization.k8s.io/v1")).Code == 404)
            throw new LackingException("the server has no API group rbac.authorization.k8s.io");
    }

    private Task<Answer> ReviewAsync(string token) => target.Wire.PostAsync(
        Authentication, $$$"""{"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":"{{{token}}}"}}""");

    private async Task<(string Name, string Token)> ServiceAccountAsync()
    {
        var name = target.NewName("robot");
        var accounts = $"api/v1/namespaces/{target.Namespace}/serviceaccounts";
        Assert.Equal(201, (await target.Wire.PostAsync(accounts, $$$"""{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"{{{name}}}"}}""")).Code);
        var request = await target.Wire.PostAsync($"{accounts}/{name}/token", """{"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":{"expirationSeconds":600}}""");
        if (request.Code is 404 or 405)
            throw new LackingException($"the server issues no service account tokens: {request.Find("message")}");
        Assert.True(request.Code == 201, request.ToString());
        return (name, request.Find("status", "token"));
    }
}
