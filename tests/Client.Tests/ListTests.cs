using System.Globalization;
using System.Text;
using Governor.Client.Tests.Support;

namespace Governor.Client.Tests;

[Collection(Server.Name)]
public sealed class ListTests(Target target)
{
    [ReliesOn("a list has its own resourceVersion; items of one namespace or of all")]
    public async Task A_list_shows_what_is_there()
    {
        var label = await MakeAsync("c", "a", "b");

        var list = await target.Wire.GetAsync($"{target.Gears}?labelSelector=set%3D{label}");

        Assert.Equal("GearList", list.Kind);
        Assert.NotEmpty(list.Version);
        Assert.Equal([$"{label}-a", $"{label}-b", $"{label}-c"], list.Names);
        Assert.Equal(list.Names, (await target.Wire.GetAsync($"apis/{target.Group}/v1/gears?labelSelector=set%3D{label}")).Names);
    }

    [ReliesOn("limit and continue: all pages show the state of the first")]
    public async Task Pages_are_one_state_whatever_is_written_meanwhile()
    {
        var label = await MakeAsync("a", "c", "e", "g", "i");
        var first = await target.Wire.GetAsync($"{target.Gears}?limit=2&labelSelector=set%3D{label}");
        await MakeMoreAsync(label, "d");
        Assert.Equal(200, (await target.Wire.DeleteAsync($"{target.Gears}/{label}-e")).Code);

        var (names, next) = (first.Names.ToList(), first.Find("metadata", "continue"));
        while (next.Length > 0)
        {
            var page = await target.Wire.GetAsync($"{target.Gears}?limit=2&labelSelector=set%3D{label}&continue={Uri.EscapeDataString(next)}");
            Assert.Equal((200, first.Version), (page.Code, page.Version));
            Assert.True(page.Names.Length <= 2);
            names.AddRange(page.Names);
            next = page.Find("metadata", "continue");
        }
        Assert.Equal(new[] { "a", "c", "e", "g", "i" }.Select(n => $"{label}-{n}"), names.Order(StringComparer.Ordinal));
    }

    [ReliesOn("the product's list puts the pages together")]
    public async Task A_list_of_many_pages_is_read_whole()
    {
        var label = await MakeAsync([.. Enumerable.Range(10, 23).Select(i => i.ToString(CultureInfo.InvariantCulture))]); // pages of five

        var listed = await target.Cluster.ListAsync(target.Gear, target.Namespace, $"set={label}", default);

        Assert.Equal(Enumerable.Range(10, 23).Select(i => $"{label}-{i}"), listed.Select(o => o.Name).Order(StringComparer.Ordinal));
    }

    [ReliesOn("label selectors")]
    public async Task Objects_are_selected_by_their_labels()
    {
        var set = await MakeAsync();
        foreach (var (name, labels) in ((string, string)[])[("a", "\"p\":\"1\",\"q\":\"x\""), ("b", "\"p\":\"2\""), ("c", "\"q\":\"\"")])
            await target.MakeAsync($"{set}-{name}", metadata: $"\"labels\":{{\"set\":\"{set}\",{labels}}}");

        await SelectsAsync("p=1", "a");
        await SelectsAsync("p==2", "b");
        await SelectsAsync("p!=1", "b", "c");
        await SelectsAsync("p in (1,2)", "a", "b");
        await SelectsAsync("p notin (1)", "b", "c");
        await SelectsAsync("p", "a", "b");
        await SelectsAsync("!p", "c");
        await SelectsAsync("q=", "c");
        await SelectsAsync("p=1,q=x", "a");

        async Task SelectsAsync(string selector, params string[] names) => Assert.Equal(
            names.Select(n => $"{set}-{n}"), (await target.Wire.GetAsync($"{target.Gears}?labelSelector={Uri.EscapeDataString($"set={set},{selector}")}")).Names);
    }

    [ReliesOn("field selectors: metadata.name and metadata.namespace")]
    public async Task One_object_is_selected_by_its_name()
    {
        var label = await MakeAsync("a", "b");

        Assert.Equal([$"{label}-a"], (await target.Wire.GetAsync($"{target.Gears}?fieldSelector=metadata.name%3D{label}-a")).Names);
        Assert.Empty((await target.Wire.GetAsync($"apis/{target.Group}/v1/gears?fieldSelector=metadata.namespace%3Dno-such-{target.Run}")).Names);
        var unknown = await target.Wire.GetAsync($"{target.Gears}?fieldSelector=spec.size%3D3");
        Assert.Equal((400, "BadRequest"), (unknown.Code, unknown.Reason));
    }

    [ReliesOn("400 BadRequest for selectors and continue tokens that cannot be read")]
    public async Task A_list_that_cannot_be_understood_is_refused()
    {
        foreach (var query in (string[])["labelSelector=a%20b", "labelSelector=%3Dx", "limit=2&continue=garbage"])
            Assert.Equal((400, "BadRequest"), await target.Wire.GetAsync($"{target.Gears}?{query}") is var refusal ? (refusal.Code, refusal.Reason) : default);
    }

    [ReliesOn("resourceVersionMatch=Exact and NotOlderThan; resourceVersion=0")]
    public async Task A_list_can_be_of_an_exact_state_or_of_any_that_is_new_enough()
    {
        var label = await MakeAsync("a");
        var before = await target.Wire.GetAsync($"{target.Gears}?labelSelector=set%3D{label}");
        await MakeMoreAsync(label, "b");

        var exact = await target.Wire.GetAsync($"{target.Gears}?labelSelector=set%3D{label}&resourceVersion={before.Version}&resourceVersionMatch=Exact");
        Assert.Equal((before.Version, 1), (exact.Version, exact.Names.Length));
        var newer = await target.Wire.GetAsync($"{target.Gears}?labelSelector=set%3D{label}&resourceVersion={before.Version}&resourceVersionMatch=NotOlderThan");
        Assert.True(ulong.Parse(newer.Version, CultureInfo.InvariantCulture) >= ulong.Parse(before.Version, CultureInfo.InvariantCulture));
        Assert.Contains($"{label}-a", newer.Names);
        Assert.Equal(200, (await target.Wire.GetAsync($"{target.Gears}?resourceVersion=0")).Code);
        Assert.Equal(422, (await target.Wire.GetAsync($"{target.Gears}?resourceVersionMatch=Exact")).Code);
        Assert.Equal(422, (await target.Wire.GetAsync($"{target.Gears}?resourceVersion=0&resourceVersionMatch=Exact")).Code);
    }

    [ReliesOn("504 for a state that the server has not reached")]
    public async Task A_list_from_the_future_is_no_list()
    {
        var now = (await target.Wire.GetAsync(target.Gears)).Version;
        var future = ulong.Parse(now, CultureInfo.InvariantCulture) + 1_000_000;

        var refusal = await target.Wire.GetAsync($"{target.Gears}?resourceVersion={future}");

        Assert.Equal((504, "Timeout"), (refusal.Code, refusal.Reason));
    }

    [ReliesOn("410 Expired for a continue token whose state was compacted, with one to go on inconsistently")]
    public async Task A_continue_token_that_is_too_old_says_so()
    {
        var label = await MakeAsync("a", "b", "c");
        var page = await target.Wire.GetAsync($"{target.Gears}?limit=1&labelSelector=set%3D{label}");
        var token = Token(page.Find("metadata", "continue"));
        Assert.True(token.Contains($"\"rv\":{page.Version}", StringComparison.Ordinal), $"expected the state's resourceVersion in the token, found {token}");

        // No API ages a token, so this one is made to look as if it had been given out at the beginning of all times.
        var old = Convert.ToBase64String(Encoding.UTF8.GetBytes(token.Replace($"\"rv\":{page.Version}", "\"rv\":1", StringComparison.Ordinal))).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        var refusal = await target.Wire.GetAsync($"{target.Gears}?limit=1&labelSelector=set%3D{label}&continue={old}");

        if (refusal.Code == 200)
            throw new LackingException("the server shows its state of resourceVersion 1: nothing was compacted yet, so no token is too old");
        Assert.Equal((410, "Expired"), (refusal.Code, refusal.Reason));
        Assert.NotEmpty(refusal.Find("metadata", "continue"));
    }

    [ReliesOn("Table: additionalPrinterColumns, priorities, one row per object")]
    public async Task A_table_has_the_columns_of_the_definition()
    {
        var label = await MakeAsync("a", "b");
        await target.Wire.MergeAsync($"{target.Gears}/{label}-a/status", """{"status":{"conditions":[{"type":"Ready","status":"True"}]}}""");

        var table = await target.Cluster.TableAsync(target.Gear, target.Namespace, $"set={label}", default);

        Assert.Equal(["Name", "Size", "Ready", "Note", "Age"], table.Columns.Select(c => c.Name));
        Assert.Equal([0, 0, 0, 1, 0], table.Columns.Select(c => c.Priority));
        var rows = table.Rows.OrderBy(r => r.Key.Name, StringComparer.Ordinal).ToArray();
        Assert.Equal([$"{label}-a", $"{label}-b"], rows.Select(r => r.Key.Name));
        Assert.Equal((target.Namespace, 3, "True"), (rows[0].Key.Namespace, rows[0].Cells[1].GetInt32(), rows[0].Cells[2].GetString()));
        Assert.NotEmpty(rows[1].Uid);
        Assert.Empty((await target.Cluster.TableAsync(target.Gear, target.Namespace, "set=nothing", default)).Rows);
        Assert.NotEmpty((await target.Cluster.TableAsync(new("", "v1", "Namespace"), null, null, default)).Rows);
    }

    private async Task<string> MakeAsync(params string[] names)
    {
        var label = target.NewName("set");
        await MakeMoreAsync(label, names);
        return label;
    }

    private async Task MakeMoreAsync(string label, params string[] names)
    {
        foreach (var name in names)
            await target.MakeAsync($"{label}-{name}", metadata: $"\"labels\":{{\"set\":\"{label}\"}}");
    }

    private static string Token(string text)
    {
        var padded = text.Replace('-', '+').Replace('_', '/');
        return Encoding.UTF8.GetString(Convert.FromBase64String(padded.PadRight((padded.Length + 3) / 4 * 4, '=')));
    }
}
