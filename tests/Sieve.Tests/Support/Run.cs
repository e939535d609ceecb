using Governor.Domain.Facts;
using Governor.Domain.Kinds;
using Governor.Domain.Packs;
using Governor.Domain.Signing;
using Governor.Manifests;

namespace Governor.Sieve.Tests.Support;

/// <summary>
/// The main job from its first declaration to its last effect, in the order of <c>./run.sh</c>: the pack first, the tenant last. After
/// every declaration everything comes to rest.
/// </summary>
/// <param name="WasHit">What should go wrong did.</param>
internal sealed record Run(
    Portrait Portrait, bool WasHit, IReadOnlyList<string> Writes, IReadOnlyList<string> Commits, IReadOnlyList<string> Events,
    IReadOnlyList<(string Name, int Changes)> Lists)
{
    private static readonly string Namespace = $"seam-tenant-{World.TenantName}";

    private static readonly string Execution = $"{Namespace}/web-{World.TenantName}";

    /// <param name="resync">At rest after every declaration, every stream lists again: lists of all there is by then.</param>
    public static async Task<Run> DoAsync(Workshop workshop, Perturbation perturbation, bool resync, int seed)
    {
        await using var world = await World.StartAsync(workshop, perturbation, seed);
        await StepAsync("the namespaces", () => FileAsync(world, "00-namespaces.yaml"), () => true);
        await StepAsync("the pack, and every gate closed but one", () => world.DeclareAsync(workshop.Pack), () => Gates(world) is [false, false, false, false, true, false, false]);
        foreach (var file in (string[])["20-rbac-profile.yaml", "21-permission-sets.yaml", "22-rbac-policy.yaml"])
            foreach (var item in ManifestReader.Read(await File.ReadAllTextAsync(Workshop.Sample("declarations", file)), file))
                await StepAsync($"{item.Kind} {item.Key}", () => world.DeclareAsync(item), () => true);
        await StepAsync("the membership, and gates 2 and 3", () => FileAsync(world, "30-seam-membership.yaml"), () => Gates(world) is [false, false, true, true, true, false, false]);
        await StepAsync(
            "the signing key, and gate 1",
            () => world.DeclareSecretAsync(SigningKeyRules.Secret, ("private.pem", workshop.Key.ToPem()), ("public.pem", workshop.Key.VerifyingKey.ToPem())),
            () => Gates(world) is [false, true, true, true, true, false, false]);
        await StepAsync("the tenant", () => FileAsync(world, "40-talos-cluster.yaml"), () => true);
        await StepAsync(
            "the way to the tenant, and everything",
            () => world.DeclareSecretAsync(new ObjectKey(Namespace, $"seam-mc-{World.TenantName}-kubeconfig"), ("value", world.Tenant.Kubeconfig)),
            () => IsComplete(world));
        var portrait = await Portrait.TakeAsync(world);
        return new Run(portrait, world.HasCrashed || world.Wire.WasHit, world.Wire.Writes, world.Ledger.Commits, world.Wire.Events, world.Wire.Lists);

        async Task StepAsync(string what, Func<Task> declare, Func<bool> holds)
        {
            await declare();
            await world.SettleAsync(what, holds);
            if (!resync)
                return;
            world.Resync();
            await world.SettleAsync($"rest after {what}", holds);
        }
    }

    private static async Task FileAsync(World world, string file) =>
        await world.DeclareAsync(await File.ReadAllTextAsync(Workshop.Sample("declarations", file)));

    private static bool[] Gates(World world) => world.Newest<ExecutionState>(Subjects.Execution, Execution) is { } state
        ? [.. state.Gates.OrderBy(gate => gate.Answer.Gate).Select(gate => gate.IsOpen)]
        : [];

    private static bool IsComplete(World world) =>
        world.Newest<ExecutionState>(Subjects.Execution, Execution)?.Phase == ExecutionPhase.Succeeded
        && world.Newest<InstanceState>(Subjects.Instance, Execution) is { Exists: true, Releases.Length: 1 };
}
