namespace Governor.Sandbox.Store;

/// <summary>One kind's storage, which all its versions share.</summary>
internal readonly record struct ResourceId(string Group, string Plural)
{
    public override string ToString() => Group.Length == 0 ? Plural : $"{Plural}.{Group}";
}
