using System.Collections.Immutable;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Governor.Domain.Approvals;
using Governor.Domain.Kinds;

namespace Governor.Domain.Admission;

/// <summary>Reads what the API server sends, and says everything that is wrong with it: what, where, expected, found.</summary>
public static class ReviewReader
{
    public const string ApiVersion = "admission.k8s.io/v1";
    public const string Kind = "AdmissionReview";

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 160, AllowDuplicateProperties = false };

    public static Reading<AdmissionRequest> Read(ReadOnlySpan<byte> body)
    {
        // Duplicate names and invalid UTF-8 mean different things to different readers: what was judged would not be what is stored.
        if (!Utf8.IsValid(body))
            return Malformed("body", "expected JSON, found invalid UTF-8");
        JsonElement root;
        try
        {
            root = JsonElement.Parse(body, Strict);
        }
        catch (JsonException e)
        {
            return Malformed("body", $"expected JSON, found {e.Message}");
        }
        if (root.ValueKind != JsonValueKind.Object)
            return Malformed("body", $"expected an {Kind}, found a JSON {root.ValueKind.ToString().ToLowerInvariant()}");
        return new Fields(root).Read();
    }

    private static Reading<AdmissionRequest> Malformed(string path, string message) => new(null, [new Failure("ReviewValid", path, message)]);

    private sealed class Fields(JsonElement root)
    {
        private readonly ImmutableArray<Failure>.Builder _failures = ImmutableArray.CreateBuilder<Failure>();

        public Reading<AdmissionRequest> Read()
        {
            Expect(root, "apiVersion", "apiVersion", ApiVersion);
            Expect(root, "kind", "kind", ReviewReader.Kind);
            if (!FieldReader.TryFind(root, "request", out var request) || request.ValueKind != JsonValueKind.Object)
            {
                Fail("request", "expected an object, found none");
                return new Reading<AdmissionRequest>(null, _failures.ToImmutable());
            }
            var kind = Type(request);
            var operation = Operation(request);
            var made = new AdmissionRequest(
                Required(request, "request", "uid"), kind, ResourceOf(request), Optional(request, "request", "subResource"),
                Optional(request, "request", "name"), Optional(request, "request", "namespace"), operation, By(request),
                Object(request, "object", kind, operation is AdmissionOperation.Create or AdmissionOperation.Update),
                Object(request, "oldObject", kind, operation is AdmissionOperation.Update or AdmissionOperation.Delete),
                DryRun(request));
            return _failures.Count == 0 ? new Reading<AdmissionRequest>(made, []) : new Reading<AdmissionRequest>(null, _failures.ToImmutable());
        }

        private GroupVersionKind Type(JsonElement request)
        {
            var kind = Child(request, "kind");
            return new GroupVersionKind(Optional(kind, "request.kind", "group"), Required(kind, "request.kind", "version"), Required(kind, "request.kind", "kind"));
        }

        private string ResourceOf(JsonElement request) => Required(Child(request, "resource"), "request.resource", "resource");

        private Caller By(JsonElement request)
        {
            var user = Child(request, "userInfo");
            var groups = ImmutableArray.CreateBuilder<string>();
            if (FieldReader.TryFind(user, "groups", out var list))
            {
                if (list.ValueKind != JsonValueKind.Array || list.EnumerateArray().Any(group => group.ValueKind != JsonValueKind.String))
                    Fail("request.userInfo.groups", $"expected a list of strings, found {Describe(list)}");
                else
                    groups.AddRange(list.EnumerateArray().Select(group => group.GetString()!));
            }
            return new Caller(Optional(user, "request.userInfo", "username"), groups.ToImmutable());
        }

        private AdmissionOperation Operation(JsonElement request)
        {
            var text = Required(request, "request", "operation");
            switch (text)
            {
                case "CREATE": return AdmissionOperation.Create;
                case "UPDATE": return AdmissionOperation.Update;
                case "DELETE": return AdmissionOperation.Delete;
                case "CONNECT": return AdmissionOperation.Connect;
                default:
                    if (text.Length > 0)
                        Fail("request.operation", $"expected CREATE, UPDATE, DELETE or CONNECT, found '{Cut(text)}'");
                    return AdmissionOperation.Connect;
            }
        }

        private KubeObject? Object(JsonElement request, string field, GroupVersionKind kind, bool isNeeded)
        {
            if (!FieldReader.TryFind(request, field, out var value))
            {
                if (isNeeded)
                    Fail($"request.{field}", "expected the object, found none");
                return null;
            }
            // What CONNECT carries are options of many kinds; nobody looks at them.
            if (!isNeeded)
                return null;
            try
            {
                var made = KubeObject.Parse(Encoding.UTF8.GetBytes(value.GetRawText()));
                if (kind.Kind.Length > 0 && (made.Kind != kind.Kind || made.Gvk.Group != kind.Group))
                    Fail($"request.{field}", $"expected a {kind.Kind} of group '{kind.Group}' as request.kind says, found a {Cut(made.Kind)} of '{Cut(made.ApiVersion)}'");
                return made;
            }
            catch (FormatException e)
            {
                Fail($"request.{field}", e.Message);
                return null;
            }
        }

        private bool DryRun(JsonElement request)
        {
            if (!FieldReader.TryFind(request, "dryRun", out var value))
                return false;
            if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
                Fail("request.dryRun", $"expected true or false, found {Describe(value)}");
            return value.ValueKind == JsonValueKind.True;
        }

        private JsonElement Child(JsonElement request, string field)
        {
            if (FieldReader.TryFind(request, field, out var value) && value.ValueKind == JsonValueKind.Object)
                return value;
            Fail($"request.{field}", $"expected an object, found {Describe(value)}");
            return default;
        }

        private void Expect(JsonElement parent, string field, string path, string expected)
        {
            var found = Optional(parent, "", field);
            if (found != expected)
                Fail(path, $"expected '{expected}', found '{Cut(found)}'");
        }

        // What is missing of an object that is missing has been said.
        private string Required(JsonElement parent, string path, string field)
        {
            var text = Optional(parent, path, field);
            if (text.Length == 0 && parent.ValueKind == JsonValueKind.Object && _failures.All(f => f.Path != $"{path}.{field}"))
                Fail($"{path}.{field}", "expected a text, found none");
            return text;
        }

        private string Optional(JsonElement parent, string path, string field)
        {
            if (!FieldReader.TryFind(parent, field, out var value))
                return "";
            if (value.ValueKind == JsonValueKind.String)
                return value.GetString()!;
            Fail(path.Length > 0 ? $"{path}.{field}" : field, $"expected a text, found {Describe(value)}");
            return "";
        }

        private void Fail(string path, string message) => _failures.Add(new Failure("ReviewValid", path, message));

        private static string Describe(JsonElement value) => value.ValueKind switch
        {
            JsonValueKind.Undefined or JsonValueKind.Null => "none",
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "a list",
            _ => Cut(value.GetRawText()),
        };

        private static string Cut(string text) => Objection.Shown(text, 64);
    }
}
