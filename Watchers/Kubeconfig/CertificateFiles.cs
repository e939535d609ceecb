using Governor.Grains.Interfaces.Ports;

namespace Governor.Watchers.Kubeconfig;

/// <summary>A client certificate in files that somebody else renews, beside whatever token there is.</summary>
internal sealed class CertificateFiles(Credential token, ClientCertificate first, Func<ClientCertificate> read, TimeProvider time) : Credential
{
    private static readonly TimeSpan Freshness = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private ClientCertificate _current = first;
    private long _readAt = time.GetTimestamp();
    private bool _refused;

    public override ClientCertificate? Certificate
    {
        get
        {
            lock (_gate)
                return _current;
        }
    }

    public override ValueTask<string?> TokenAsync(CancellationToken cancellation)
    {
        lock (_gate)
            if (_refused || time.GetElapsedTime(_readAt) >= Freshness)
                Renew();
        return token.TokenAsync(cancellation);
    }

    public override bool Refused()
    {
        lock (_gate)
            _refused = true;
        token.Refused();
        return true;
    }

    public override void Dispose()
    {
        token.Dispose();
        _current.Dispose();
        base.Dispose();
    }

    /// <summary>Files that cannot be read, or do not fit together, are files that are just being renewed: the old certificate goes on.</summary>
    private void Renew()
    {
        (_readAt, _refused) = (time.GetTimestamp(), false);
        ClientCertificate renewed;
        try
        {
            renewed = read();
        }
        catch (KubeconfigException) when (time.GetUtcNow() < _current.Leaf.NotAfter.ToUniversalTime())
        {
            return;
        }
        catch (KubeconfigException e)
        {
            throw Unavailable($"the client certificate has expired, and there is no other: {e.Message}", e);
        }
        if (renewed.Leaf.RawDataMemory.Span.SequenceEqual(_current.Leaf.RawDataMemory.Span))
            renewed.Dispose();
        else
            _current = renewed; // the one before is in use by open connections until they end
    }
}
