using System.Net;
using System.Net.Http.Headers;
using Governor.Domain.Signing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Governor.Registry;

/// <summary>
/// The part of the OCI distribution specification (1.1) that packs need: content is pulled by digest only and verified against
/// it before anybody sees a byte, and pushed so that it can be. Safe for concurrent use.
/// </summary>
public sealed class OciClient : IDisposable
{
    private const string Octets = "application/octet-stream";

    private readonly OciTransport _transport;
    private readonly RegistryOptions _options;
    private readonly TimeProvider _clock;

    public OciClient(RegistryOptions options, TimeProvider? clock = null, ILogger<OciClient>? logger = null)
    {
        var valid = new RegistryOptionsValidator().Validate(null, options);
        if (valid.Failed)
            throw new OptionsValidationException(RegistryOptions.Section, typeof(RegistryOptions), valid.Failures);
        _options = options;
        _clock = clock ?? TimeProvider.System;
        _transport = new OciTransport(options, _clock, logger ?? NullLogger<OciClient>.Instance);
    }

    public void Dispose() => _transport.Dispose();

    /// <summary>The bytes of an OCI image manifest.</summary>
    /// <exception cref="RegistryException">Unreachable, absent, denied, too large, or not the content of this digest.</exception>
    public Task<byte[]> PullManifestAsync(RepositoryName repository, Digest digest, CancellationToken cancellation)
    {
        var what = $"manifest {repository}@{digest}";
        return _transport.SendAsync(
            new OciRequest(HttpMethod.Get, At(repository, $"manifests/{digest}"), repository, what) { Accept = OciManifest.AcceptedMediaTypes },
            (response, token) => BoundedContent.ReadVerifiedAsync(response.Content, digest, _options.MaxManifestBytes, what, _options, _clock, token),
            cancellation);
    }

    /// <summary>The bytes of a blob. Redirects to storage are followed, without our credentials.</summary>
    /// <exception cref="RegistryException">Unreachable, absent, denied, too large, or not the content of this digest.</exception>
    public Task<byte[]> PullBlobAsync(RepositoryName repository, Digest digest, CancellationToken cancellation)
    {
        var what = $"blob {repository}@{digest}";
        return _transport.SendAsync(
            new OciRequest(HttpMethod.Get, At(repository, $"blobs/{digest}"), repository, what) { FollowRedirects = true },
            (response, token) => BoundedContent.ReadVerifiedAsync(response.Content, digest, _options.MaxLayerBytes, what, _options, _clock, token),
            cancellation);
    }

    /// <summary>Makes sure that the repository has this blob; uploads it only where it is missing.</summary>
    /// <exception cref="RegistryException">Unreachable, denied or refused.</exception>
    public async Task<Digest> PushBlobAsync(RepositoryName repository, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var digest = Digest.Of(content.Span);
        var what = $"blob {repository}@{digest}";
        var present = await _transport.SendAsync(
            new OciRequest(HttpMethod.Head, At(repository, $"blobs/{digest}"), repository, what)
            {
                Actions = "pull,push", FollowRedirects = true, Expected = [HttpStatusCode.NotFound],
            },
            (response, _) => Task.FromResult(response.IsSuccessStatusCode), cancellation).ConfigureAwait(false);
        if (present)
            return digest;

        var begin = At(repository, "blobs/uploads/");
        var location = await _transport.SendAsync(
            new OciRequest(HttpMethod.Post, begin, repository, what) { Actions = "pull,push", Content = () => new ByteArrayContent([]) },
            (response, _) => Task.FromResult(_transport.Hosts.Follow(begin, response.Headers.Location)), cancellation).ConfigureAwait(false);
        var separator = location.Query.Length > 1 ? location.Query[1..] + "&" : "";
        var put = new UriBuilder(location) { Query = $"{separator}digest={Uri.EscapeDataString(digest.Value)}" }.Uri;
        await _transport.SendAsync(
            new OciRequest(HttpMethod.Put, put, repository, what) { Actions = "pull,push", Content = () => Body(content, Octets) },
            (response, _) => Task.FromResult(Confirmed(response, digest, what)), cancellation).ConfigureAwait(false);
        return digest;
    }

    /// <summary>Pushes a manifest under a tag, or under its digest alone. Its blobs must be there already.</summary>
    /// <exception cref="RegistryException">Unreachable, denied, refused, or stored as something else.</exception>
    public Task<Digest> PushManifestAsync(
        RepositoryName repository, ReadOnlyMemory<byte> manifest, string mediaType, string? tag, CancellationToken cancellation)
    {
        var digest = Digest.Of(manifest.Span);
        var what = $"manifest {repository}{(tag is null ? "" : $":{tag}")}@{digest}";
        return _transport.SendAsync(
            new OciRequest(HttpMethod.Put, At(repository, $"manifests/{Uri.EscapeDataString(tag ?? digest.Value)}"), repository, what)
            {
                Actions = "pull,push", Content = () => Body(manifest, mediaType),
            },
            (response, _) => Task.FromResult(Confirmed(response, digest, what)), cancellation);
    }

    private Uri At(RepositoryName repository, string rest) => new(_transport.Hosts.Base(repository), $"v2/{repository.Path}/{rest}");

    private static ReadOnlyMemoryContent Body(ReadOnlyMemory<byte> content, string mediaType) =>
        new(content) { Headers = { ContentType = new MediaTypeHeaderValue(mediaType) } };

    /// <summary>A registry that says which digest it stored must say ours.</summary>
    private static Digest Confirmed(HttpResponseMessage response, Digest digest, string what) =>
        response.Headers.TryGetValues("Docker-Content-Digest", out var stored) && stored.FirstOrDefault() is { } found && found != digest.Value
            ? throw new RegistryException(RegistryReasons.DigestMismatch, $"{what}: expected the registry to store {digest}, found {found}")
            : digest;
}
