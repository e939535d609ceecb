using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Admission;
using Governor.Domain.Kinds;

namespace Governor.Domain.Tests.Admission;

public sealed class ReviewTests
{
    [Fact]
    public void A_review_is_read_with_everything_that_is_judged()
    {
        var request = Read(Asking.Review("UPDATE")).Value!;

        Assert.Equal(("u-1", "ServiceAccount", "serviceaccounts", "", "web", "team", AdmissionOperation.Update, "dev", false), (
            request.Uid, request.Kind.Kind, request.Resource, request.Subresource, request.Name, request.Namespace, request.Operation, request.By.Name, request.IsDryRun));
        Assert.Equal(["developers"], request.By.Groups.AsEnumerable());
        Assert.Equal(("o-1", "o-1"), (request.Object!.Uid, request.Old!.Uid));
    }

    [Fact]
    public void Of_a_delete_the_object_is_the_old_one()
    {
        var request = Read(Asking.Review("DELETE")).Value!;

        Assert.Null(request.Object);
        Assert.Equal("o-1", request.Subject!.Uid);
    }

    [Fact]
    public void What_connects_carries_nothing_that_is_judged()
    {
        var review = Asking.Review("CONNECT");
        review["request"]!["object"] = JsonNode.Parse("""{"kind":"PodExecOptions","apiVersion":"v1","command":["sh"]}""");

        var request = Read(review).Value!;

        Assert.Equal((AdmissionOperation.Connect, null, true), (request.Operation, request.Object, Asking.Judge(AdmissionCheck.Rbac, request).Allowed));
    }

    [Theory]
    [InlineData("apiVersion", "\"admission.k8s.io/v1beta1\"", "apiVersion: expected 'admission.k8s.io/v1', found 'admission.k8s.io/v1beta1'")]
    [InlineData("kind", "\"Pod\"", "kind: expected 'AdmissionReview', found 'Pod'")]
    [InlineData("request", "null", "request: expected an object, found none")]
    [InlineData("request.uid", "null", "request.uid: expected a text, found none")]
    [InlineData("request.uid", "7", "request.uid: expected a text, found 7")]
    [InlineData("request.operation", "\"PATCH\"", "request.operation: expected CREATE, UPDATE, DELETE or CONNECT, found 'PATCH'")]
    [InlineData("request.kind", "\"x\"", "request.kind: expected an object, found \"x\"")]
    [InlineData("request.userInfo", "null", "request.userInfo: expected an object, found none")]
    [InlineData("request.userInfo.groups", "\"a\"", "request.userInfo.groups: expected a list of strings, found \"a\"")]
    [InlineData("request.object", "null", "request.object: expected the object, found none")]
    [InlineData("request.object", "[]", "request.object: expected a Kubernetes object, found a JSON array")]
    [InlineData("request.object.kind", "\"Role\"", "request.object: expected a ServiceAccount of group '' as request.kind says, found a Role of 'v1'")]
    [InlineData("request.dryRun", "\"yes\"", "request.dryRun: expected true or false, found \"yes\"")]
    public void What_is_wrong_is_said_with_its_place(string path, string value, string expected)
    {
        var review = Asking.Review();
        JsonNode at = review;
        var steps = path.Split('.');
        foreach (var step in steps[..^1])
            at = at[step]!;
        at[steps[^1]] = JsonNode.Parse(value);

        Assert.Equal([expected], Read(review).Failures.Select(failure => failure.ToString()));
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once()
    {
        var failures = ReviewReader.Read("""{"apiVersion":"x","request":{}}"""u8).Failures.Select(failure => failure.Path);

        Assert.Equal(["apiVersion", "kind", "request.kind", "request.operation", "request.uid", "request.resource", "request.userInfo"], failures);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"kind":"AdmissionReview","kind":"AdmissionReview"}""")]
    public void What_is_no_object_is_no_review(string body) => Assert.Equal("body", Assert.Single(ReviewReader.Read(Encoding.UTF8.GetBytes(body)).Failures).Path);

    [Fact]
    public void Invalid_UTF8_is_no_review() => Assert.Contains("UTF-8", ReviewReader.Read([0x7b, 0xff, 0x7d]).Summary(), StringComparison.Ordinal);

    [Fact]
    public void A_denial_says_403_and_why()
    {
        var response = Written(new AdmissionVerdict(false, [An("a\nb")], null));

        Assert.False(response.GetProperty("allowed").GetBoolean());
        Assert.Equal(("u-1", 403, "Forbidden"), (response.GetProperty("uid").GetString(), response.GetProperty("status").GetProperty("code").GetInt32(), response.GetProperty("status").GetProperty("reason").GetString()));
        Assert.Equal("Role a/b: rules: expected x, found a b. Ask. (rule)", response.GetProperty("status").GetProperty("message").GetString());
    }

    [Fact]
    public void A_warning_has_one_line_and_its_length_is_bounded()
    {
        var response = Written(new AdmissionVerdict(true, [.. Enumerable.Repeat(An(new string('x', 5000) + "\n"), 50)], null));

        Assert.True(response.GetProperty("allowed").GetBoolean());
        Assert.All(response.GetProperty("warnings").EnumerateArray(), warning => Assert.True(warning.GetString()!.Length < 500 && !warning.GetString()!.Contains('\n')));
        Assert.True(response.GetProperty("warnings").EnumerateArray().Sum(warning => warning.GetString()!.Length) < 4096);
    }

    private static Objection An(string found) => new("rule", "Role a/b", "rules", "x", found, "Ask.");

    private static Reading<AdmissionRequest> Read(JsonObject review) => ReviewReader.Read(JsonSerializer.SerializeToUtf8Bytes(review));

    private static JsonElement Written(AdmissionVerdict verdict) => JsonElement.Parse(ReviewWriter.Write("u-1", verdict)).GetProperty("response");
}
