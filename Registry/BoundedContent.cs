using System.Buffers;
using System.Security.Cryptography;
using Governor.Domain.Signing;

namespace Governor.Registry;

/// <summary>Reads a body under limits of size and time, hashing as it goes.</summary>
internal static class BoundedContent
{
    private const int ChunkBytes = 64 * 1024;

    /// <exception cref="RegistryException">Too large, or not the digest asked for.</exception>
    /// <exception cref="TimeoutException">No byte for the stall timeout.</exception>
    internal static async Task<byte[]> ReadVerifiedAsync(
        HttpContent content, Digest digest, int limit, string what, RegistryOptions options, TimeProvider clock, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var bytes = await ReadAsync(content, limit, what, hash, options, clock, cancellation).ConfigureAwait(false);
        var found = "sha256:" + Convert.ToHexStringLower(hash.GetCurrentHash());
        return found == digest.Value
            ? bytes
            : throw new RegistryException(RegistryReasons.DigestMismatch, $"{what}: expected content with digest {digest}, found {bytes.Length} bytes with {found}");
    }

    /// <inheritdoc cref="ReadVerifiedAsync"/>
    internal static async Task<byte[]> ReadAsync(
        HttpContent content, int limit, string what, IncrementalHash? hash, RegistryOptions options, TimeProvider clock, CancellationToken cancellation)
    {
        if (content.Headers.ContentLength > limit)
            throw TooLarge(what, limit, $"{content.Headers.ContentLength} announced");
        using var stall = new CancellationTokenSource(options.StallTimeout, clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, stall.Token);
        var body = new ArrayBufferWriter<byte>((int)Math.Clamp(content.Headers.ContentLength ?? 0, 1024, ChunkBytes));
        try
        {
            var stream = await content.ReadAsStreamAsync(either.Token).ConfigureAwait(false);
            await using (stream.ConfigureAwait(false))
                while (await stream.ReadAsync(body.GetMemory(ChunkBytes), either.Token).ConfigureAwait(false) is > 0 and var read)
                {
                    hash?.AppendData(body.GetSpan(read)[..read]);
                    body.Advance(read);
                    if (body.WrittenCount > limit)
                        throw TooLarge(what, limit, "more");
                    stall.CancelAfter(options.StallTimeout);
                }
            return body.WrittenSpan.ToArray();
        }
        catch (OperationCanceledException) when (stall.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new TimeoutException($"no byte for {options.StallTimeout} after {body.WrittenCount} bytes");
        }
    }

    private static RegistryException TooLarge(string what, int limit, string found) =>
        new(RegistryReasons.LayerTooLarge, $"{what}: expected at most {limit} bytes, found {found}");
}
