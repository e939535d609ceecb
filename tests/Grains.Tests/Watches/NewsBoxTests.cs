using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;
using Governor.Grains.Watches;

namespace Governor.Grains.Tests.Watches;

public sealed class NewsBoxTests
{
    private readonly NewsBox _box = new();

    [Fact]
    public void Objects_come_out_in_the_order_in_which_they_came_in_newest_news_only()
    {
        _box.Put(News("a", 1));
        _box.Put(News("b", 1));
        _box.Put(News("a", 2));

        Assert.Equal(News("a", 2), _box.Take());
        Assert.Equal(News("b", 1), _box.Take());
        Assert.Null(_box.Take());
    }

    [Fact]
    public void News_of_an_object_that_is_being_told_wait_for_it()
    {
        _box.Put(News("a", 1));
        _box.Take();
        _box.Put(News("a", 2));
        Assert.Null(_box.Take());

        _box.Told(Key("a"));

        Assert.Equal(News("a", 2), _box.Take());
        _box.Told(Key("a"));
        Assert.Empty(_box.Untold);
    }

    [Fact]
    public void Who_could_not_be_told_rests_longer_each_time_and_nobody_waits_for_him()
    {
        _box.Put(News("poisoned", 1));
        _box.Put(News("b", 1));
        _box.Take();
        var rests = new List<TimeSpan> { _box.NotTold(Key("poisoned")) };

        Assert.Equal(News("b", 1), _box.Take());
        Assert.Null(_box.Take());
        for (var n = 0; n < 8; n++)
        {
            _box.Rested(Key("poisoned"));
            Assert.Equal(News("poisoned", 1), _box.Take());
            rests.Add(_box.NotTold(Key("poisoned")));
        }
        Assert.Equal(rests.Order(), rests);
        Assert.Equal(TimeSpan.FromSeconds(30), rests[^1]);
    }

    [Fact]
    public void News_that_come_while_an_object_rests_replace_what_could_not_be_told()
    {
        _box.Put(News("a", 1));
        _box.Take();
        _box.NotTold(Key("a"));
        _box.Put(News("a", 2));
        Assert.Null(_box.Take());

        _box.Rested(Key("a"));

        Assert.Equal(News("a", 2), _box.Take());
    }

    [Fact]
    public void It_is_synced_when_all_that_was_listed_has_been_told_and_until_the_next_list()
    {
        _box.Put(News("a", 1));
        _box.EndList();
        _box.Take();
        Assert.False(_box.IsSynced);
        _box.Told(Key("a"));
        Assert.True(_box.IsSynced);
        _box.Put(News("c", 1));
        Assert.True(_box.IsSynced); // came after the list: what follows from it is on its way

        _box.BeginList();
        Assert.False(_box.IsSynced);
        _box.EndList();
        Assert.False(_box.IsSynced); // by now it has to be told, too
        _box.Take();
        _box.Told(Key("c"));
        Assert.True(_box.IsSynced);
    }

    [Fact]
    public void Who_cannot_be_told_again_and_again_is_excused()
    {
        _box.Put(News("poisoned", 1));
        _box.EndList();
        for (var failures = 0; failures < 5; failures++)
        {
            Assert.False(_box.IsSynced);
            _box.Take();
            _box.NotTold(Key("poisoned"));
            _box.Rested(Key("poisoned"));
        }
        Assert.True(_box.IsSynced);
        Assert.False(_box.IsEmpty);
    }

    [Fact]
    public void It_counts_the_bytes_that_wait_once_per_object()
    {
        _box.Put(Sized("a", 100));
        _box.Put(Sized("a", 200));
        _box.Put(Sized("b", 100));
        var both = _box.Bytes;
        Assert.Equal(Sized("a", 200).Object!.Json.Length + Sized("b", 100).Object!.Json.Length, both);

        _box.Take();
        Assert.Equal(Sized("b", 100).Object!.Json.Length, _box.Bytes);
        _box.NotTold(Key("a"));
        Assert.Equal(both, _box.Bytes);
        _box.Rested(Key("a"));
        foreach (var _ in "ab")
            _box.Told(_box.Take()!.Key);
        Assert.Equal(0, _box.Bytes);
    }

    private static WatchEvent Sized(string name, int bytes) => News(name, 1) with
    {
        Object = KubeObject.Parse(System.Text.Encoding.UTF8.GetBytes($$"""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"{{name}}"},"x":"{{new string('x', bytes)}}"}""")),
    };

    private static ObjectKey Key(string name) => new("ns", name);

    private static WatchEvent News(string name, int version) => new(WatchEventType.Present, Key(name), name, null, $"{version}");
}
