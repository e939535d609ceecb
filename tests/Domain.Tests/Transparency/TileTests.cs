using FsCheck;
using FsCheck.Fluent;
using Governor.Domain.Transparency;

namespace Governor.Domain.Tests.Transparency;

public sealed class TileTests
{
    // The examples of C2SP tlog-tiles, and what follows from its grammar.
    [Theory]
    [InlineData("0/x001/x234/067", 0, 1234067, 256)]
    [InlineData("0/000", 0, 0, 256)]
    [InlineData("0/273.p/112", 0, 273, 112)]
    [InlineData("1/001.p/17", 1, 1, 17)]
    [InlineData("2/000.p/1", 2, 0, 1)]
    [InlineData("63/999", 63, 999, 256)]
    [InlineData("entries/x001/000.p/255", Tile.Entries, 1000, 255)]
    [InlineData("0/x009/x223/x372/x036/x854/x775/807", 0, long.MaxValue, 256)]
    public void A_path_reads_and_writes(string path, int level, long index, int width)
    {
        Assert.True(Tile.TryParse(path, out var tile));
        Assert.Equal((level, index, width), (tile.Level, tile.Index, tile.Width));
        Assert.Equal(path, tile.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("0/")]
    [InlineData("/000")]
    [InlineData("64/000")]
    [InlineData("-1/000")]
    [InlineData("00/000")]
    [InlineData("+0/000")]
    [InlineData("0/0")]
    [InlineData("0/0000")]
    [InlineData("0/00a")]
    [InlineData("0/x000/001")]
    [InlineData("0/001/002")]
    [InlineData("0/x001")]
    [InlineData("0/x001/x002")]
    [InlineData("0/X001/002")]
    [InlineData("0/x001//002")]
    [InlineData("0/000.p/0")]
    [InlineData("0/000.p/256")]
    [InlineData("0/000.p/01")]
    [InlineData("0/000.p/")]
    [InlineData("0/000.p")]
    [InlineData("0/000.p/1.p/1")]
    [InlineData("0/000/")]
    [InlineData("0/000\n")]
    [InlineData("0/\u0660\u0660\u0660")]
    [InlineData("Entries/000")]
    [InlineData("0/x009/x223/x372/x036/x854/x775/808")]
    [InlineData("0/x001/x000/x000/x000/x000/x000/x000/000")]
    public void What_is_no_path_is_refused(string path) => Assert.False(Tile.TryParse(path, out _));

    [Fact]
    public void Whatever_reads_writes_the_same() =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(2000),
            Prop.ForAll(Arb.From(Gen.Elements('0', '1', '9', 'x', '/', '.', 'p').ArrayOf().Select(chars => $"0/{new string(chars)}")),
                path => !Tile.TryParse(path, out var tile) || tile.ToString() == path));

    // C2SP tlog-tiles: a tree of 70,000 leaves has 273 full tiles and one of 112 at level 0, one full and one of 17 at level 1, and one hash at level 2.
    [Fact]
    public void The_tiles_of_a_tree_are_those_of_the_specification()
    {
        const long Size = 70_000;
        Assert.Equal([new Tile(0, 273, 112), new Tile(1, 1, 17), new Tile(2, 0, 1)], Tile.RightEdge(Size));
        Assert.Equal((256, 112, 0), (Tile.In(Size, 0, 272).Width, Tile.In(Size, 0, 273).Width, Tile.In(Size, 0, 274).Width));
        Assert.Equal((256, 17, 0), (Tile.In(Size, 1, 0).Width, Tile.In(Size, 1, 1).Width, Tile.In(Size, 1, 2).Width));
        Assert.Equal((1, 0, 0), (Tile.In(Size, 2, 0).Width, Tile.In(Size, 2, 1).Width, Tile.In(Size, 3, 0).Width));
        Assert.Equal((256, 112), (Tile.In(Size, Tile.Entries, 272).Width, Tile.In(Size, Tile.Entries, 273).Width));
    }

    [Fact]
    public void No_tile_is_where_no_tree_reaches()
    {
        Assert.Equal(0, Tile.In(long.MaxValue, 8, 0).Width);
        Assert.Equal(0, Tile.In(long.MaxValue, 63, 0).Width);
        Assert.Equal(0, Tile.In(70_000, 0, long.MaxValue).Width);
        Assert.Equal(127, Tile.In(long.MaxValue, Tile.HighestLevel, 0).Width);
        Assert.Empty(Tile.RightEdge(0));
        Assert.Equal([new Tile(1, 0, 1)], Tile.RightEdge(256));
        Assert.Equal([new Tile(2, 0, 1)], Tile.RightEdge(65_536));
    }
}
