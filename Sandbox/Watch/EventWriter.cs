using System.Text.Json.Nodes;
using Governor.Sandbox.Api;
using Governor.Sandbox.Discovery;
using Governor.Sandbox.Store;
using Microsoft.AspNetCore.Http;

namespace Governor.Sandbox.Watch;

/// <summary>Writes watch events, one line each, flushed at once.</summary>
internal sealed class EventWriter
{
    private static readonly byte[] LineEnd = "\n"u8.ToArray();

    private readonly HttpContext _http;
    private readonly ServedResource _resource;
    private readonly MediaRange _media;
    private readonly TablePrinter _printer;
    private readonly bool _isStorageVersion;
    private bool _hasColumns;

    public EventWriter(HttpContext http, ServedResource resource, MediaRange media, TimeProvider clock)
    {
        _http = http;
        _resource = resource;
        _media = media;
        _printer = new TablePrinter(resource, http.Request.Query["includeObject"].ToString(), clock.GetUtcNow());
        _isStorageVersion = resource.StorageApiVersion == resource.Gvk.ApiVersion;
    }

    public Task StartAsync()
    {
        _http.Response.ContentType = "application/json";
        return _http.Response.Body.FlushAsync(_http.RequestAborted);
    }

    public Task WriteAsync(string type, StoredObject o, bool isGarbled = false) => LineAsync(type, Shape(o), isGarbled);

    public Task BookmarkAsync(long version)
    {
        var o = new JsonObject
        {
            ["kind"] = _media.IsPartial ? "PartialObjectMetadata" : _resource.Gvk.Kind,
            ["apiVersion"] = _media.IsPartial ? "meta.k8s.io/v1" : _resource.Gvk.ApiVersion,
            ["metadata"] = new JsonObject { ["resourceVersion"] = $"{version}", ["creationTimestamp"] = null },
        };
        if (_resource.IsCustom && !_media.IsPartial)
            o.Metadata().Remove("creationTimestamp");
        return LineAsync("BOOKMARK", JsonText.Bytes(_media.IsTable ? Table(System.Text.Json.JsonSerializer.SerializeToElement(o)) : o));
    }

    public Task ExpiredAsync(long asked, long horizon)
    {
        var status = ApiException.Expired($"too old resource version: {asked} ({horizon})").ToStatus();
        return LineAsync("ERROR", JsonText.Bytes(status));
    }

    private byte[] Shape(StoredObject o)
    {
        if (_media.IsTable)
            return JsonText.Bytes(Table(o.Root));
        if (_media.IsPartial)
            return JsonText.Bytes(TablePrinter.Partial(o.Root));
        return _isStorageVersion ? o.Json : JsonText.Bytes(ResourceReads.Convert(_resource, o));
    }

    private JsonObject Table(System.Text.Json.JsonElement o)
    {
        var table = _printer.Print([o], new JsonObject { ["resourceVersion"] = o.FindText("metadata", "resourceVersion") }, !_hasColumns);
        _hasColumns = true;
        return table;
    }

    private async Task LineAsync(string type, ReadOnlyMemory<byte> json, bool isGarbled = false)
    {
        var body = _http.Response.Body;
        var head = System.Text.Encoding.ASCII.GetBytes($"{{\"type\":\"{type}\",\"object\":");
        var line = new byte[head.Length + json.Length + 2];
        head.CopyTo(line, 0);
        json.CopyTo(line.AsMemory(head.Length));
        line[^2] = (byte)'}';
        line[^1] = LineEnd[0];
        var sent = line.AsMemory();
        if (isGarbled)
        {
            sent = sent[..(line.Length / 2)];
            sent.Span[^1] = LineEnd[0];
        }
        await body.WriteAsync(sent, _http.RequestAborted);
        await body.FlushAsync(_http.RequestAborted);
    }
}
