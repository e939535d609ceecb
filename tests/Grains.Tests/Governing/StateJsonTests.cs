using System.Collections;
using System.Reflection;
using System.Text.Json;
using Governor.Domain.Admission;
using Governor.Domain.Approvals;
using Governor.Domain.Clusters;
using Governor.Domain.Facts;
using Governor.Domain.Lineage;
using Governor.Domain.Memberships;
using Governor.Domain.Packs;
using Governor.Domain.Permissions;
using Governor.Domain.Signing;
using Governor.Grains.Governing;

namespace Governor.Grains.Tests.Governing;

public sealed class StateJsonTests
{
    public static TheoryData<Type> States =>
    [
        typeof(ApprovalState), typeof(BootstrapState), typeof(ClusterState), typeof(ErasureState), typeof(ExecutionState), typeof(IdentityBindingState), typeof(IdentityProviderState), typeof(InstanceState), typeof(LineageState), typeof(MembershipState), typeof(PackState),
        typeof(PermissionSetState), typeof(PermissionState), typeof(PolicyState), typeof(ProfileState), typeof(ReceiptState), typeof(RefusalState), typeof(RosterState), typeof(SigningKeyState),
    ];

    [Theory]
    [MemberData(nameof(States))]
    public void A_state_from_before_its_fields_reads_as_if_they_had_been_there_and_empty(Type state)
    {
        var read = JsonSerializer.Deserialize("{}", state, StateJson.Options)!;

        var nullability = new NullabilityInfoContext();
        foreach (var property in state.GetConstructors().MaxBy(c => c.GetParameters().Length)!.GetParameters().Select(p => state.GetProperty(p.Name!)!))
        {
            if (nullability.Create(property).ReadState == NullabilityState.Nullable)
                continue;
            var value = property.GetValue(read);
            Assert.True(value is not null, $"{state.Name}.{property.Name} is null");
            if (value is IEnumerable items)
                Assert.Empty(items);
        }
        // What is read can be written, and reads the same.
        var written = JsonSerializer.Serialize(read, state, StateJson.Options);
        Assert.Equal(written, JsonSerializer.Serialize(JsonSerializer.Deserialize(written, state, StateJson.Options), state, StateJson.Options));
    }

    [Fact]
    public void What_may_be_null_stays_null_and_what_is_there_stays_there()
    {
        var read = JsonSerializer.Deserialize<ExecutionState>("""{"uid":"u","steps":[{"name":"verify-pack","status":"Succeeded","message":"","at":"2026-11-21T07:00:00Z"}]}""", StateJson.Options)!;

        Assert.Equal("u", read.Uid);
        Assert.True(read.HasDone("verify-pack"));
        Assert.Null(read.Failure);
        Assert.Null(read.Spec);
    }

    [Fact]
    public void Every_subject_has_its_state_here() =>
        Assert.Equal(typeof(Subjects).GetFields().Length, States.Count);
}
