using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Governor.Domain.Kinds;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Faults;
using Governor.Sandbox.Store;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Api;

/// <summary>Gets and lists: paging, consistency by resourceVersion, tables.</summary>
internal sealed class ResourceReads
{
    private const string ContinueExpired = "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

    private readonly ClusterCore _core;

    public ResourceReads(ClusterCore core) => _core = core;

    public async Task GetAsync(HttpContext http, RequestContext context)
    {
        if (ReadVersion(http.Request.Query["resourceVersion"].ToString()) is { } wanted && wanted > _core.Store.Current.Version)
            throw await TooLargeAsync(http, wanted);
        var found = View(http.Request, context.Resource).Find(context.Resource.Id, context.Key) ?? throw ApiException.NotFound(context.Resource, context.Name);
        Answers.Warn(http, context.Warnings);
        await AnswerAsync(http, context.Resource, 200, found);
    }

    public async Task ListAsync(HttpContext http, RequestContext context)
    {
        var media = MediaRange.Require(http.Request);
        var query = ListQuery.Read(http.Request);
        if (query.Version > _core.Store.Current.Version)
            throw query.IsExact ? ApiException.Internal("etcdserver: mvcc: required revision is a future revision") : await TooLargeAsync(http, query.Version.Value);
        var page = Page(http.Request, context, query);
        Answers.Warn(http, context.Warnings);
        if (media.IsTable)
        {
            TablePrinter.CheckInclude(http.Request);
            var printer = new TablePrinter(context.Resource, http.Request.Query["includeObject"].ToString(), _core.Clock.GetUtcNow());
            await Answers.Json(http, 200, printer.Print(page.Items.Select(i => i.Root), page.Metadata(false)));
        }
        else if (media.As == "PartialObjectMetadataList")
            await Answers.Json(http, 200, new JsonObject
            {
                ["kind"] = "PartialObjectMetadataList",
                ["apiVersion"] = "meta.k8s.io/v1",
                ["metadata"] = page.Metadata(false),
                ["items"] = new JsonArray(page.Items.Select(i => (JsonNode?)TablePrinter.Partial(i.Root)).ToArray()),
            });
        else if (media.As == "PartialObjectMetadata")
            throw new ApiException(406, "NotAcceptable", $"you requested PartialObjectMetadata, but the requested object is a list ({(context.Resource.IsCustom ? "*unstructured.UnstructuredList" : $"*{Package(context.Resource)}.{context.Resource.ListKind}")})");
        else if (media.As.Length > 0)
            throw new ApiException(406, "NotAcceptable", "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf");
        else
            await Answers.Bytes(http, 200, WriteList(context.Resource, page));
    }

    /// <summary>The objects that a request's path and selectors choose, as of now.</summary>
    public (IReadOnlyList<StoredObject> Items, long Version) Select(HttpRequest request, RequestContext context)
    {
        var state = _core.Store.Current;
        return ([.. Matching(request, context, state.Of(context.Resource.Id))], state.Version);
    }

    public static JsonObject ListOf(ServedResource resource, IReadOnlyList<StoredObject> items, long version) =>
        JsonNode.Parse(WriteList(resource, new ListPage(items, version, "", null)), null, JsonText.DocumentOptions)!.AsObject();

    /// <summary>Answers one object in the form that was asked for.</summary>
    public Task AnswerAsync(HttpContext http, ServedResource resource, int code, JsonObject o)
    {
        var media = MediaRange.Require(http.Request);
        if (o.Text("kind") != resource.Gvk.Kind || media.As.Length == 0)
            return Answers.Json(http, code, o);
        return AnswerShaped(http, resource, code, media, JsonSerializer.SerializeToElement(o));
    }

    private Task AnswerAsync(HttpContext http, ServedResource resource, int code, StoredObject o)
    {
        var media = MediaRange.Require(http.Request);
        if (media.As.Length > 0)
            return AnswerShaped(http, resource, code, media, o.Root);
        return resource.StorageApiVersion == resource.Gvk.ApiVersion && http.Request.Query["pretty"].Count == 0
            ? Answers.Bytes(http, code, o.Json)
            : Answers.Json(http, code, Convert(resource, o));
    }

    /// <summary>The Go package of a built-in kind's internal type.</summary>
    private static string Package(ServedResource resource) => resource.Gvk.Group.Length == 0 ? "core" : resource.Gvk.Group.Split('.')[0];

    private Task AnswerShaped(HttpContext http, ServedResource resource, int code, MediaRange media, JsonElement o) => media.As switch
    {
        "PartialObjectMetadataList" => throw ApiException.Internal("content is not a list"),
        "Table" => Answers.Json(http, code, new TablePrinter(resource, http.Request.Query["includeObject"].ToString(), _core.Clock.GetUtcNow())
            .PrintOne(http.Request, o, new JsonObject { ["resourceVersion"] = o.FindText("metadata", "resourceVersion") })),
        "PartialObjectMetadata" => Answers.Json(http, code, TablePrinter.Partial(o)),
        _ => throw new ApiException(406, "NotAcceptable", "only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf"),
    };

    private ListPage Page(HttpRequest request, RequestContext context, ListQuery query)
    {
        var state = View(request, context.Resource);
        var (all, version, start) = query.Continue is { } token ? Resume(context.Resource, state, token, query.Token) : Start(context.Resource, state, query);
        var matching = Matching(request, context, all).Where(o => start is null || KeyOrder.Instance.Compare(o.Key, start.Value) > 0);
        if (query.Limit <= 0)
            return new ListPage([.. matching], version, "", null);
        var items = matching.Take((int)Math.Min(query.Limit, int.MaxValue - 1) + 1).ToList();
        if (items.Count <= query.Limit)
            return new ListPage(items, version, "", null);
        items.RemoveAt(items.Count - 1);
        var hasSelector = request.Query["labelSelector"].ToString().Length > 0 || request.Query["fieldSelector"].ToString().Length > 0;
        var rest = hasSelector ? (int?)null : matching.Count() - items.Count;
        return new ListPage(items, version, ContinueToken.Write(version, items[^1].Key, context.Namespace), rest);
    }

    /// <summary>The state that reads are answered from: the newest, unless a fault says otherwise.</summary>
    private StoreState View(HttpRequest request, ServedResource resource) =>
        request.HttpContext.Features.Get<StaleView>()?.Of(_core.Store, resource.Id) ?? _core.Store.Current;

    private (ImmutableSortedDictionary<ObjectKey, StoredObject>, long, ObjectKey?) Start(ServedResource resource, StoreState state, ListQuery query)
    {
        if (query.Version is not > 0 || !query.IsExact)
            return (state.Of(resource.Id), state.Version, null);
        var then = _core.Store.HistoryOf(resource.Id).AsOf(query.Version.Value, state.Of(resource.Id))
            ?? throw ApiException.Expired("The resourceVersion for the provided list is too old.");
        return (then, query.Version.Value, null);
    }

    private (ImmutableSortedDictionary<ObjectKey, StoredObject>, long, ObjectKey?) Resume(ServedResource resource, StoreState state, ContinueToken token, string text)
    {
        if (token.Version < 0)
            return (state.Of(resource.Id), state.Version, token.After);
        var then = _core.Store.HistoryOf(resource.Id).AsOf(token.Version, state.Of(resource.Id))
            ?? throw new ApiException(410, "Expired", ContinueExpired) { Continue = ContinueToken.Inconsistent(text) };
        return (then, token.Version, token.After);
    }

    private static IEnumerable<StoredObject> Matching(HttpRequest request, RequestContext context, ImmutableSortedDictionary<ObjectKey, StoredObject> all)
    {
        var labels = LabelSelector.Parse(request.Query["labelSelector"].ToString());
        var fields = FieldSelector.Parse(request.Query["fieldSelector"].ToString(), context.Resource);
        return all.Values.Where(o => (context.Namespace.Length == 0 || o.Key.Namespace == context.Namespace) && labels.Matches(o) && fields.Matches(o));
    }

    private static byte[] WriteList(ServedResource resource, ListPage page)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { SkipValidation = true }))
        {
            writer.WriteStartObject();
            writer.WriteString("kind", resource.ListKind);
            writer.WriteString("apiVersion", resource.Gvk.ApiVersion);
            writer.WritePropertyName("metadata");
            page.Metadata(resource.IsCustom).WriteTo(writer);
            writer.WriteStartArray("items");
            var isStorageVersion = resource.StorageApiVersion == resource.Gvk.ApiVersion;
            foreach (var item in page.Items)
                WriteItem(writer, resource, item, isStorageVersion);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }
        return stream.ToArray();
    }

    /// <summary>Items of built-in kinds come without kind and apiVersion: their type is the list's.</summary>
    private static void WriteItem(Utf8JsonWriter writer, ServedResource resource, StoredObject item, bool isStorageVersion)
    {
        if (resource.IsCustom)
        {
            writer.WriteRawValue(isStorageVersion ? item.Json : JsonText.Bytes(Convert(resource, item)), true);
            return;
        }
        writer.WriteStartObject();
        foreach (var member in item.Root.EnumerateObject())
            if (!member.NameEquals("kind") && !member.NameEquals("apiVersion"))
            {
                writer.WritePropertyName(member.Name);
                writer.WriteRawValue(member.Value.GetRawText(), true);
            }
        writer.WriteEndObject();
    }

    public static JsonObject Convert(ServedResource resource, StoredObject o)
    {
        var node = o.ToNode();
        node["apiVersion"] = resource.Gvk.ApiVersion;
        return node;
    }

    /// <exception cref="ApiException">500 when it is no number.</exception>
    public static long? ReadVersion(string text) => text.Length == 0
        ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw ApiException.Internal($"resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax");

    private async Task<ApiException> TooLargeAsync(HttpContext http, long wanted)
    {
        await Task.Delay(TimeSpan.FromSeconds(3), _core.Clock, http.RequestAborted);
        return new ApiException(504, "Timeout", $"Timeout: Too large resource version: {wanted}, current: {_core.Store.Current.Version}", new JsonObject
        {
            ["causes"] = new JsonArray(new JsonObject { ["reason"] = "ResourceVersionTooLarge", ["message"] = "Too large resource version" }),
            ["retryAfterSeconds"] = 1,
        })
        { RetryAfter = 1 };
    }
}

/// <summary>One page of a list.</summary>
internal sealed record ListPage(IReadOnlyList<StoredObject> Items, long Version, string Continue, int? Remaining)
{
    /// <param name="always">Custom resources show an empty continue, built-in kinds leave it out.</param>
    public JsonObject Metadata(bool always)
    {
        var metadata = new JsonObject { ["resourceVersion"] = Version.ToString(CultureInfo.InvariantCulture) };
        if (always || Continue.Length > 0)
            metadata["continue"] = Continue;
        if (Remaining is > 0)
            metadata["remainingItemCount"] = Remaining;
        return metadata;
    }
}

/// <summary>The parameters of a list.</summary>
internal sealed record ListQuery(long? Version, bool IsExact, long Limit, ContinueToken? Continue, string Token)
{
    /// <exception cref="ApiException">422 about ListOptions for combinations that are refused.</exception>
    public static ListQuery Read(HttpRequest request)
    {
        var match = request.Query["resourceVersionMatch"].ToString();
        var text = request.Query["resourceVersion"].ToString();
        var token = request.Query["continue"].ToString();
        CheckMatch(match, text, token);
        var limit = 0L;
        if (request.Query["limit"].ToString() is { Length: > 0 } given && !long.TryParse(given, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out limit))
            throw ApiException.BadRequest($"strconv.ParseInt: parsing \"{given}\": invalid syntax");
        if (token.Length > 0 && text.Length > 0 && text != "0")
            throw ApiException.BadRequest("specifying resource version is not allowed when using continue");
        var version = Parse(text, match);
        var isExact = match == "Exact" || (match.Length == 0 && version > 0 && limit > 0);
        return new ListQuery(version, isExact, version == 0 && token.Length == 0 ? 0 : limit, token.Length == 0 ? null : ContinueToken.Read(token), token);
    }

    private static long? Parse(string text, string match)
    {
        try
        {
            return ResourceReads.ReadVersion(text);
        }
        catch (ApiException e) when (match == "Exact")
        {
            throw ApiException.BadRequest($"invalid resource version: {e.Message}");
        }
    }

    private static void CheckMatch(string match, string version, string token)
    {
        const string field = "resourceVersionMatch";
        if (match.Length == 0)
            return;
        var causes = new List<Cause>();
        if (version.Length == 0)
            causes.Add(Cause.Forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
        if (token.Length > 0)
            causes.Add(Cause.Forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
        if (match is not ("Exact" or "NotOlderThan"))
            causes.Add(Cause.NotSupported(field, $"\"{match}\"", ["Exact", "NotOlderThan", ""]));
        if (match == "Exact" && version == "0")
            causes.Add(Cause.Forbidden(field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
        if (causes.Count > 0)
            throw ApiException.Invalid("meta.k8s.io", "ListOptions", "", causes);
    }
}

/// <summary>Where a paged list goes on.</summary>
internal sealed record ContinueToken(long Version, ObjectKey After)
{
    public static string Write(long version, ObjectKey last, string @namespace) => Encode(new JsonObject
    {
        ["v"] = "meta.k8s.io/v1",
        ["rv"] = version,
        ["start"] = (@namespace.Length > 0 || last.Namespace.Length == 0 ? last.Name : $"{last.Namespace}/{last.Name}") + "\0",
        ["ns"] = last.Namespace,
    });

    /// <summary>The same place in whatever state there is then.</summary>
    public static string Inconsistent(string token)
    {
        var o = Decode(token);
        o["rv"] = -1;
        return Encode(o);
    }

    public static ContinueToken Read(string token)
    {
        var o = Decode(token);
        var start = o.Text("start").TrimEnd('\0');
        return new ContinueToken(o.Whole("rv") ?? 0, new ObjectKey(o.Text("ns"), start[(start.IndexOf('/', StringComparison.Ordinal) + 1)..]));
    }

    private static string Encode(JsonObject o) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(o.ToJsonString())).TrimEnd('=').Replace('+', '-').Replace('/', '_');

    private static JsonObject Decode(string token)
    {
        try
        {
            var text = token.Replace('-', '+').Replace('_', '/');
            return JsonNode.Parse(Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '=')))!.AsObject();
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            throw ApiException.BadRequest("invalid continue token: continue key is not valid: invalid character '\\u0081' looking for beginning of value");
        }
    }
}
