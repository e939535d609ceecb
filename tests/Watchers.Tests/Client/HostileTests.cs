using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Watchers.Tests.Support;

namespace Governor.Watchers.Tests.Client;

/// <summary>Objects at and beyond the limits: refused, or carried exactly, and never at the expense of all memory.</summary>
public sealed class HostileTests
{
    private static readonly ObjectKey Key = Widgets.Key("a");

    public static TheoryData<string, string> AtTheLimits => new()
    {
        { "three megabytes", $$""","spec":{"blob":"{{new string('x', 3 * 1024 * 1024)}}"}""" },
        { "a name and a label at their limits", $$""","spec":{"name":"{{new string('n', 253)}}","label":"{{new string('l', 63)}}"}""" },
        { "annotations of 256 KiB", $$""","spec":{"{{new string('k', 63)}}":"{{new string('v', 256 * 1024)}}"}""" },
        { "numbers beyond 2^53 and 2^63", ""","spec":{"a":9007199254740993,"b":-9223372036854775808,"c":18446744073709551616,"d":1e400,"e":0.1000000000000000055511151231257827,"f":1.0,"g":-0}""" },
        { "escapes and every plane of Unicode", ""","spec":{"\u0000":"\u0000\u007f\u0085\u2028\ufeff\ud83d\ude00","é":"é\\u00e9\/"}""" },
        { "white space", " , \t\"spec\" : { \"a\" :\r\n [ 1 , 2 ] } " },
        { "a hundred levels", $$""","spec":{{Nested(100)}}""" },
    };

    [Theory]
    [MemberData(nameof(AtTheLimits))]
    public async Task What_is_allowed_is_carried_exactly_alone_in_a_list_and_on_its_way_back(string what, string extra)
    {
        await using var test = await TestCluster.StartAsync();
        var sent = Widgets.One("a", extra: extra);
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync("GET")).AnswerAsync(200, sent);
        var one = (await got.Within())!;
        var listed = test.Cluster.ListAsync(Widgets.Kind, null, null, default);
        await (await test.Server.NextAsync("GET")).AnswerAsync(200, Widgets.List("1", "", Widgets.One("before"), sent, Widgets.One("after")));
        var created = test.Cluster.CreateAsync(one, default);
        var asked = await test.Server.NextAsync("POST");
        await asked.AnswerAsync(201, sent);
        await created.Within();

        Assert.True(sent == Encoding.UTF8.GetString(one.Json.Span), what);
        Assert.True(sent == Encoding.UTF8.GetString((await listed.Within())[1].Json.Span), what);
        Assert.True(sent == asked.Body, what);
    }

    public static TheoryData<string, byte[]> BeyondThem => new()
    {
        { "invalid UTF-8", Invalid([0xff]) },
        { "an overlong form", Invalid([0xc0, 0x80]) },
        { "a lone surrogate in UTF-8", Invalid([0xed, 0xa0, 0x80]) },
        { "a cut character", Invalid([0xf0, 0x9f, 0x98]) },
        { "a duplicate key", Encoding.UTF8.GetBytes(Widgets.One("a", extra: ""","spec":{"size":1,"size":2}""")) },
        { "a duplicate key in another spelling", Encoding.UTF8.GetBytes(Widgets.One("a", extra: ""","spec":{"size":1,"\u0073ize":2}""")) },
        { "ten thousand levels", Encoding.UTF8.GetBytes(Widgets.One("a", extra: $$""","spec":{{Nested(10_000)}}""")) },
        { "a number that is none", Encoding.UTF8.GetBytes(Widgets.One("a", extra: ""","spec":{"a":NaN}""")) },
        { "a byte order mark", [0xef, 0xbb, 0xbf, .. Encoding.UTF8.GetBytes(Widgets.One("a"))] },
        { "two documents", Encoding.UTF8.GetBytes(Widgets.One("a") + Widgets.One("b")) },
        { "half a document", Encoding.UTF8.GetBytes(Widgets.One("a")[..^2]) },
    };

    [Theory]
    [MemberData(nameof(BeyondThem))]
    public async Task What_could_mean_two_things_is_refused(string what, byte[] sent)
    {
        await using var test = await TestCluster.StartAsync();
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync("GET")).AnswerBytesAsync(sent);
        Assert.True((await Assert.ThrowsAsync<KubernetesException>(() => got.Within())).Reason == "Malformed", what);

        var listed = test.Cluster.ListAsync(Widgets.Kind, null, null, default);
        var list = Widgets.List("1", "", "@");
        var at = list.IndexOf('@', StringComparison.Ordinal);
        await (await test.Server.NextAsync("GET")).AnswerBytesAsync([.. Encoding.UTF8.GetBytes(list[..at]), .. sent, .. Encoding.UTF8.GetBytes(list[(at + 1)..])]);
        Assert.True((await Assert.ThrowsAsync<KubernetesException>(() => listed.Within())).Reason is "Malformed" or "Unreadable", what);
    }

    [Fact]
    public async Task A_small_answer_that_unpacks_to_a_huge_one_is_refused_when_it_has_grown_too_large()
    {
        await using var test = await TestCluster.StartAsync(o => o.MaxResponseBytes = 1024 * 1024);
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
            for (var i = 0; i < 256; i++)
                await gzip.WriteAsync(new byte[1024 * 1024]);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync("GET")).AnswerBytesAsync(packed.ToArray(), ("Content-Encoding", "gzip"));

        Assert.Equal("ResponseTooLarge", (await Assert.ThrowsAsync<KubernetesException>(() => got.Within())).Reason);
        Assert.True(GC.GetTotalAllocatedBytes(precise: true) - before < 128 * 1024 * 1024); // half of it, for others allocate meanwhile, too
    }

    [Fact]
    public async Task A_list_that_never_ends_is_refused_when_it_has_grown_too_large()
    {
        await using var test = await TestCluster.StartAsync(o => o.MaxListBytes = 10_000);
        var listed = test.Cluster.ListAsync(Widgets.Kind, null, null, default);
        for (var page = 0; !listed.IsCompleted && page < 3; page++)
            await (await test.Server.NextAsync("GET")).AnswerAsync(200, Widgets.List("1", $"t{page}", Widgets.One($"w{page}", extra: $",\"spec\":\"{new string('x', 4000)}\"")));

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => listed.Within());
        Assert.Contains("expected a list of at most 10000 bytes", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_that_leads_in_a_circle_is_refused()
    {
        await using var test = await TestCluster.StartAsync();
        var listed = test.Cluster.ListAsync(Widgets.Kind, null, null, default);
        await (await test.Server.NextAsync("GET")).AnswerAsync(200, Widgets.List("1", "t", Widgets.One("a")));
        await (await test.Server.NextAsync("continue=t")).AnswerAsync(200, Widgets.List("1", "t", Widgets.One("a")));

        Assert.Equal("Malformed", (await Assert.ThrowsAsync<KubernetesException>(() => listed.Within())).Reason);
    }

    [Fact]
    public async Task A_refusal_with_endless_causes_is_told_in_brief()
    {
        await using var test = await TestCluster.StartAsync();
        var causes = string.Join(',', Enumerable.Range(0, 20_000).Select(i => $$"""{"reason":"FieldValueInvalid","field":"spec.f{{i}}","message":"no {{i}}"}"""));
        var got = test.Cluster.GetAsync(Widgets.Kind, Key, default);
        await (await test.Server.NextAsync("GET")).AnswerAsync(422, $$$"""{"kind":"Status","code":422,"reason":"Invalid","message":"m","details":{"causes":[{{{causes}}}]}}""");

        var refusal = await Assert.ThrowsAsync<KubernetesException>(() => got.Within());
        Assert.True(refusal.Message.Length < 5000);
        Assert.Equal(200, refusal.Causes.Length);
    }

    private static string Nested(int levels) => string.Concat(Enumerable.Repeat("[", levels)) + string.Concat(Enumerable.Repeat("]", levels));

    private static byte[] Invalid(byte[] bytes)
    {
        var text = Widgets.One("a", extra: ""","spec":{"s":"@"}""");
        var at = text.LastIndexOf('@');
        return [.. Encoding.UTF8.GetBytes(text[..at]), .. bytes, .. Encoding.UTF8.GetBytes(text[(at + 1)..])];
    }
}
