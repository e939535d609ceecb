using System.Collections.Immutable;
using System.Text.Json;

namespace Governor.Grains.Interfaces.Ports;

/// <summary>Objects as the server itself shows them to people (meta.k8s.io/v1 Table): its columns, and a row for each object.</summary>
public sealed record KubeTable(ImmutableArray<KubeColumn> Columns, ImmutableArray<KubeRow> Rows, string ResourceVersion);

/// <param name="Type">The OpenAPI type of the cells: string, integer, number, boolean, date.</param>
/// <param name="Priority">0 is always shown; anything else only in the wide view.</param>
public sealed record KubeColumn(string Name, string Type, string Format, string Description, int Priority);

/// <param name="Cells">In the order of the columns, each whatever JSON it is; null where the object says nothing.</param>
public sealed record KubeRow(Domain.Kinds.ObjectKey Key, string Uid, ImmutableArray<JsonElement> Cells);
