namespace Orleans.Runtime;

/// <summary>Which silo this is.</summary>
public interface ILocalSiloDetails
{
    string Name { get; }

    string ClusterId { get; }

    string DnsHostName { get; }
}
