using Governor.Domain.Transparency;

namespace Governor.Journal.Recovery;

/// <summary>
/// The leaf hashes of a signed tree, read tile by tile. A tile is believed once a proof from it leads to the signed root: every hash of
/// it goes into that proof.
/// </summary>
internal sealed class SignedLeaves(Checkpoint signed, TileProofs.ReadTiles read)
{
    private Tile _tile;
    private ReadOnlyMemory<byte> _hashes;

    /// <exception cref="RecoveryException">The tree is not the signed one.</exception>
    public async Task<TreeHash> HashAsync(long leaf)
    {
        var tile = Tile.In(signed.Size, 0, leaf >> Tile.Height);
        if (tile != _tile)
            await LoadAsync(tile, leaf);
        return At(leaf);
    }

    private async Task LoadAsync(Tile tile, long leaf)
    {
        try
        {
            _hashes = (await read([tile])).GetValueOrDefault(tile);
            if (_hashes.Length != tile.Width * TreeHash.Size)
                throw new TileMissingException($"the tile {tile} is not there");
            var proof = await TileProofs.InclusionAsync(leaf, signed.Size, read);
            if (!MerkleTree.VerifyInclusion(leaf, signed.Size, At(leaf), proof.AsSpan(), signed.Root))
                throw new RecoveryException($"the tile {tile} does not lead to the signed root of {signed.Size} leaves: the database was altered");
            _tile = tile;
        }
        catch (TileMissingException e)
        {
            throw new RecoveryException($"{e.Message}: the database was altered", e);
        }
    }

    private TreeHash At(long leaf) => new(_hashes.Span.Slice((int)(leaf % Tile.FullWidth) * TreeHash.Size, TreeHash.Size));
}
