namespace Governor.Cli;

/// <summary>Files that are there whole or not at all.</summary>
internal static class WholeFile
{
    /// <exception cref="UsageException">It cannot be written.</exception>
    public static async Task WriteAsync(string path, Stream content, CancellationToken cancellation)
    {
        var draft = $"{path}.{Guid.NewGuid():n}";
        try
        {
            await using (var file = new FileStream(draft, FileMode.CreateNew, FileAccess.Write))
            {
                await content.CopyToAsync(file, cancellation);
                file.Flush(flushToDisk: true);
            }
            File.Move(draft, path, overwrite: true);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new UsageException($"cannot write '{path}': {e.Message}", e);
        }
        catch (IOException e)
        {
            throw new UsageException($"'{path}' was not written: {e.Message}", e);
        }
        finally
        {
            File.Delete(draft);
        }
    }
}
