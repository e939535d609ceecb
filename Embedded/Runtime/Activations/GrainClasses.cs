using System.Collections.Concurrent;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Orleans;
using Orleans.Configuration;
using Orleans.Metadata;
using Orleans.Runtime;

namespace Governor.Embedded.Runtime.Activations;

/// <summary>The grain classes of the application, found in the assemblies that reference this host.</summary>
internal sealed class GrainClasses(GrainCollectionOptions collection)
{
    private readonly Lock sync = new();
    private readonly HashSet<Assembly> scanned = [];
    private readonly ConcurrentDictionary<GrainType, GrainClass> byType = new();
    private readonly ConcurrentDictionary<(Type Interface, string? Prefix), GrainClass> byInterface = new();
    private bool isApplicationLoaded;

    /// <exception cref="ArgumentException">No class, or no single class, implements the interface.</exception>
    public GrainClass Implementing(Type interfaceType, string? prefix) =>
        byInterface.TryGetValue((interfaceType, prefix), out var known) ? known : byInterface.GetOrAdd((interfaceType, prefix), Choose);

    public bool TryGet(GrainType type, out GrainClass @class)
    {
        if (byType.TryGetValue(type, out @class!))
            return true;
        Scan();
        return byType.TryGetValue(type, out @class!);
    }

    private GrainClass Choose((Type Interface, string? Prefix) asked)
    {
        Scan();
        var (interfaceType, prefix) = asked;
        var candidates = byType.Values.Where(candidate => interfaceType.IsAssignableFrom(candidate.Type)).ToArray();
        var name = interfaceType.FullName;
        if (!string.IsNullOrEmpty(prefix))
        {
            candidates = [.. candidates.Where(candidate => candidate.Type.FullName!.StartsWith(prefix, StringComparison.Ordinal))];
            return candidates.FirstOrDefault(candidate => candidate.Type.FullName == prefix)
                ?? Single(candidates, $"interface {name} with implementation prefix \"{prefix}\"");
        }

        if (interfaceType.GetCustomAttribute<DefaultGrainTypeAttribute>() is { } preferred && byType.TryGetValue(preferred.GrainType, out var named))
            return named;
        return candidates.FirstOrDefault(candidate => candidate.Type.Name == interfaceType.Name[1..]) ?? Single(candidates, $"interface {name}");
    }

    private static GrainClass Single(GrainClass[] candidates, string what) => candidates.Length switch
    {
        1 => candidates[0],
        0 => throw new ArgumentException($"Could not find an implementation for {what}."),
        _ => throw new ArgumentException(
            $"Unable to identify a single grain class for {what}. Candidates: {string.Join(", ", candidates.Select(candidate => candidate.Type.FullName))}."),
    };

    private void Scan()
    {
        lock (sync)
        {
            if (!isApplicationLoaded)
            {
                isApplicationLoaded = true;
                LoadApplication();
            }

            foreach (var assembly in AppDomain.CurrentDomain.GetAssemblies().Where(IsOfApplication).Where(scanned.Add))
            {
                foreach (var type in assembly.GetTypes().Where(IsGrainClass))
                    Add(type);
            }
        }
    }

    private void Add(Type type)
    {
        var added = new GrainClass(type, collection);
        if (!byType.TryAdd(added.GrainType, added))
        {
            throw new OrleansConfigurationException(
                $"Grain type '{added.GrainType}' is claimed by {byType[added.GrainType].Type.FullName} and {type.FullName}; give one a [GrainType].");
        }
    }

    /// <summary>
    /// The compiler drops references nobody uses, and a host need not use a type of its grains. So the application's own files are asked
    /// which of them reference this host, and those are loaded.
    /// </summary>
    private static void LoadApplication()
    {
        var files = (AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") as string ?? "").Split(Path.PathSeparator);
        var loaded = AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetName().Name).ToHashSet();
        foreach (var file in files.Where(file => file.StartsWith(AppContext.BaseDirectory, StringComparison.Ordinal)))
        {
            if (!loaded.Contains(Path.GetFileNameWithoutExtension(file)) && ReferencesHost(file))
                Assembly.Load(new AssemblyName(Path.GetFileNameWithoutExtension(file)));
        }
    }

    private static bool ReferencesHost(string file)
    {
        using var stream = File.OpenRead(file);
        using var image = new PEReader(stream);
        if (!image.HasMetadata)
            return false;
        var metadata = image.GetMetadataReader();
        var host = typeof(Grain).Assembly.GetName().Name!;
        return metadata.AssemblyReferences.Any(reference => metadata.StringComparer.Equals(metadata.GetAssemblyReference(reference).Name, host));
    }

    private static bool IsOfApplication(Assembly assembly) =>
        !assembly.IsDynamic && assembly.GetReferencedAssemblies().Any(reference => reference.Name == typeof(Grain).Assembly.GetName().Name);

    private static bool IsGrainClass(Type type) =>
        type is { IsClass: true, IsAbstract: false, ContainsGenericParameters: false } && typeof(IGrainBase).IsAssignableFrom(type);
}
