using System.Globalization;
using Governor.Domain.Kinds;
using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Client;

/// <summary>
/// One consistent list, page by page: the resource version is left out, so that the first page is the newest state, and all the
/// others show that same state.
/// </summary>
/// <param name="pageSize">0 for everything in one answer.</param>
internal sealed class ListPager(
    Session session, ResourceDescription resource, string? @namespace, string? labelSelector, string? fieldSelector, int pageSize)
{
    private int _pageSize = pageSize;
    private string _continue = "";
    private string? _version;
    private long _held;

    public bool IsDone { get; private set; }

    /// <exception cref="KubernetesException">Among others 410: the state being listed is too old by now; begin anew.</exception>
    public async Task<ListPage> NextAsync(CancellationToken cancellation)
    {
        while (true)
        {
            var request = ApiRequest.List(Path(), $"{resource.Plural}{(string.IsNullOrEmpty(@namespace) ? "" : $" in {@namespace}")}");
            try
            {
                using var answer = await session.SendAsync(request, cancellation);
                if (!answer.IsSuccess)
                    throw session.Refusal(request, answer);
                var page = Read(request, answer);
                Follow(request, page);
                _held += answer.Body.Length;
                IsDone = _continue.Length == 0;
                return page;
            }
            catch (KubernetesException e) when (e.Reason == "ResponseTooLarge" && _pageSize > 1)
            {
                _pageSize = Math.Max(1, _pageSize / 4); // large objects: fewer of them at a time
            }
        }
    }

    /// <summary>The next page has to go on from here. A server that leads in circles or from one state to another has shown no list.</summary>
    private void Follow(ApiRequest request, ListPage page)
    {
        if (page.Continue.Length > 0 && page.Continue == _continue)
            throw session.Malformed(request, "expected the next page, found the same one again", null);
        if (_version is { Length: > 0 } first && page.ResourceVersion.Length > 0 && page.ResourceVersion != first)
            throw new KubernetesException(
                410, "Expired", $"{session.Context(request)}: expected pages of resource version {first}, found one of {page.ResourceVersion}");
        _version ??= page.ResourceVersion;
        _continue = page.Continue;
    }

    /// <param name="most">Bytes of answers that are held at most.</param>
    /// <exception cref="KubernetesException">Also when an object cannot be read: a list that leaves one out would be a lie.</exception>
    public async Task<IReadOnlyList<KubeObject>> AllAsync(long most, CancellationToken cancellation)
    {
        var all = new List<KubeObject>();
        while (!IsDone)
        {
            foreach (var item in (await NextAsync(cancellation)).Items)
                all.Add(item.Object ?? throw new KubernetesException(
                    422, "Unreadable", $"{session.Context(ApiRequest.List("", resource.Plural))}: {resource.Kind.Kind} {item.Metadata.Key}: {item.Fault}"));
            if (_held > most)
                throw new KubernetesException(
                    413, "ResponseTooLarge", $"{session.Context(ApiRequest.List("", resource.Plural))}: expected a list of at most {most} bytes, found more; watch it instead, or select fewer objects");
        }
        return all;
    }

    private string Path() => ResourcePath.WithQuery(
        ResourcePath.Collection(resource, @namespace),
        ("limit", _pageSize > 0 ? _pageSize.ToString(CultureInfo.InvariantCulture) : null),
        ("continue", _continue),
        ("labelSelector", labelSelector),
        ("fieldSelector", fieldSelector));

    private ListPage Read(ApiRequest request, ApiAnswer answer)
    {
        try
        {
            return KubeJson.ReadPage(answer.Body, resource.Kind);
        }
        catch (FormatException e)
        {
            throw session.Malformed(request, e.Message, e);
        }
    }
}
