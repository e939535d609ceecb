namespace Orleans.Runtime;

/// <summary>An opaque part of an id. The embedded host keeps it as text.</summary>
public readonly struct IdSpan : IEquatable<IdSpan>, IComparable<IdSpan>
{
    private readonly string? value;

    private IdSpan(string value) => this.value = value;

    public bool IsDefault => string.IsNullOrEmpty(value);

    public static IdSpan Create(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return new(id);
    }

    public bool Equals(IdSpan obj) => string.Equals(value, obj.value, StringComparison.Ordinal);

    public override bool Equals(object? obj) => obj is IdSpan other && Equals(other);

    public override int GetHashCode() => value is null ? 0 : value.GetHashCode(StringComparison.Ordinal);

    public int CompareTo(IdSpan other) => string.CompareOrdinal(value, other.value);

    public override string ToString() => value ?? "";

    public static bool operator ==(IdSpan left, IdSpan right) => left.Equals(right);

    public static bool operator !=(IdSpan left, IdSpan right) => !left.Equals(right);
}

/// <summary>The type part of a grain's id: the class name in lower case without its <c>Grain</c> suffix, unless an attribute names it.</summary>
public readonly struct GrainType(IdSpan id) : IEquatable<GrainType>, IComparable<GrainType>
{
    public IdSpan Value { get; } = id;

    public bool IsDefault => Value.IsDefault;

    public static GrainType Create(string value) => new(IdSpan.Create(value));

    public bool Equals(GrainType obj) => Value.Equals(obj.Value);

    public override bool Equals(object? obj) => obj is GrainType other && Equals(other);

    public override int GetHashCode() => Value.GetHashCode();

    public int CompareTo(GrainType other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString();

    public static bool operator ==(GrainType left, GrainType right) => left.Equals(right);

    public static bool operator !=(GrainType left, GrainType right) => !left.Equals(right);
}

/// <summary>A grain's identity: its type and its key, written <c>type/key</c>.</summary>
public readonly struct GrainId(GrainType type, IdSpan key) : IEquatable<GrainId>, IComparable<GrainId>
{
    public GrainType Type { get; } = type;

    public IdSpan Key { get; } = key;

    public bool IsDefault => Type.IsDefault && Key.IsDefault;

    public static GrainId Create(string type, string key) => Create(GrainType.Create(type), key);

    public static GrainId Create(GrainType type, string key)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(key);
        return new(type, IdSpan.Create(key));
    }

    public static GrainId Create(GrainType type, IdSpan key) => new(type, key);

    /// <exception cref="FormatException">The text is not <c>type/key</c>.</exception>
    public static GrainId Parse(string value) =>
        TryParse(value, out var id) ? id : throw new FormatException($"Expected a grain id 'type/key', found '{value}'.");

    public static bool TryParse(string? value, out GrainId result)
    {
        var slash = value?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        result = slash > 0 ? Create(value![..slash], value[(slash + 1)..]) : default;
        return slash > 0;
    }

    public bool Equals(GrainId other) => Key.Equals(other.Key) && Type.Equals(other.Type);

    public override bool Equals(object? obj) => obj is GrainId other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Type, Key);

    public int CompareTo(GrainId other)
    {
        var byType = Type.CompareTo(other.Type);
        return byType != 0 ? byType : Key.CompareTo(other.Key);
    }

    public override string ToString() => $"{Type}/{Key}";

    public static bool operator ==(GrainId left, GrainId right) => left.Equals(right);

    public static bool operator !=(GrainId left, GrainId right) => !left.Equals(right);
}

/// <summary>The name of a grain interface.</summary>
public readonly struct GrainInterfaceType(string value) : IEquatable<GrainInterfaceType>
{
    private readonly string? value = value;

    public bool IsDefault => string.IsNullOrEmpty(value);

    public static GrainInterfaceType Create(string value) => new(value);

    public bool Equals(GrainInterfaceType other) => string.Equals(value, other.value, StringComparison.Ordinal);

    public override bool Equals(object? obj) => obj is GrainInterfaceType other && Equals(other);

    public override int GetHashCode() => value is null ? 0 : value.GetHashCode(StringComparison.Ordinal);

    public override string ToString() => value ?? "";

    public static bool operator ==(GrainInterfaceType left, GrainInterfaceType right) => left.Equals(right);

    public static bool operator !=(GrainInterfaceType left, GrainInterfaceType right) => !left.Equals(right);
}
