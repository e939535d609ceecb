using System.Text;

namespace Governor.Sandbox.Tests.Fixtures;

/// <summary>One recorded exchange with a real API server.</summary>
public sealed record Exchange(string Title, string Who, string Method, string Path, IReadOnlyList<(string Name, string Value)> RequestHeaders, string RequestBody)
{
    public int Code { get; set; }
    public List<(string Name, string Value)> Headers { get; } = [];
    public List<string> Remarks { get; } = [];
    public string Body { get; set; } = "";

    /// <summary>The lines of a stream, one JSON document each.</summary>
    public List<string> Lines { get; } = [];

    /// <summary>The server ended the stream in good order.</summary>
    public bool EndsWell { get; set; }

    /// <summary>Sent by the API server to an admission webhook.</summary>
    public bool IsReview => Who == "apiserver";

    public bool IsStream => Lines.Count > 0 || EndsWell || (Method == "GET" && Path.Contains("watch=", StringComparison.Ordinal) && Code == 200 && Body.Length == 0);

    /// <summary>The body is the one of the wire, apart from its indentation.</summary>
    public bool HasBody => Body.Length > 0 && Remarks.All(r => r.StartsWith("body in full", StringComparison.Ordinal));

    public string? RequestHeader(string name) => RequestHeaders.FirstOrDefault(h => string.Equals(h.Name, name, StringComparison.OrdinalIgnoreCase)).Value;
}

/// <summary>Reads a transcript: <c>&gt;</c> request, <c>&lt;</c> answer, <c>~</c> remark, <c>+</c> stream, anything else body.</summary>
public static class FixtureFile
{
    public static IReadOnlyList<Exchange> Read(string name)
    {
        var exchanges = new List<Exchange>();
        var block = new List<string>();
        foreach (var line in File.ReadLines(Path.Combine(AppContext.BaseDirectory, "Fixtures", name + ".http")))
        {
            if (line.StartsWith("### ", StringComparison.Ordinal) && block.Count > 0)
            {
                Add(block, exchanges);
                block.Clear();
            }
            block.Add(line);
        }
        Add(block, exchanges);
        return exchanges;
    }

    private static void Add(List<string> block, List<Exchange> exchanges)
    {
        var title = block.FirstOrDefault(l => l.StartsWith("### ", StringComparison.Ordinal));
        var requestAt = block.FindIndex(l => l.StartsWith("> ", StringComparison.Ordinal));
        if (title is null || requestAt < 0)
            return;
        var requestLine = block[requestAt][2..].Split(' ');
        var requestHeaders = block.Skip(requestAt + 1).TakeWhile(l => l.StartsWith("> ", StringComparison.Ordinal)).Select(Header).ToList();
        var answerAt = block.FindIndex(requestAt, l => l.StartsWith("< HTTP", StringComparison.Ordinal));
        var end = answerAt < 0 ? block.Count : answerAt;
        var requestBody = Body(block.Skip(requestAt).Take(end - requestAt));
        var exchange = new Exchange(title, title.Split(' ')[2], requestLine[0], requestLine[1], requestHeaders, requestBody);
        if (answerAt >= 0)
        {
            exchange.Code = int.Parse(block[answerAt].Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture);
            exchange.Headers.AddRange(block.Skip(answerAt + 1).Where(l => l.StartsWith("< ", StringComparison.Ordinal)).Select(Header));
            exchange.Remarks.AddRange(block.Skip(answerAt).Where(l => l.StartsWith("~ ", StringComparison.Ordinal)).Select(l => l[2..]));
            exchange.Body = Body(block.Skip(answerAt));
            var stream = block.Skip(answerAt).Where(l => l.StartsWith('+')).Select(l => l.Split(' ', 2)).ToList();
            exchange.Lines.AddRange(stream.Where(l => l.Length > 1).Select(l => l[1]));
            exchange.EndsWell = stream.Any(l => l.Length == 1);
        }
        exchanges.Add(exchange);
    }

    private static (string, string) Header(string line)
    {
        var parts = line[2..].Split(": ", 2);
        return (parts[0], parts.Length > 1 ? parts[1] : "");
    }

    private static string Body(IEnumerable<string> lines)
    {
        var body = new StringBuilder();
        foreach (var line in lines)
            if (line.Length > 0 && line[0] is not ('>' or '<' or '~' or '#' or '+' or '!' or '-' or '$' or '|'))
                body.Append(line).Append('\n');
        return body.ToString().TrimEnd('\n');
    }
}
