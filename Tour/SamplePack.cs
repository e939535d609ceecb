namespace Governor.Tour;
public static class SamplePack
{
    public static Task<string> BuildAsync(Landscape landscape, string input, CancellationToken cancellation) => throw new InvalidOperationException("later");
}
