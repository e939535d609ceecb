using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Governor.Sandbox.Api;

/// <summary>Broken text as Go reads it: whatever is no UTF-8 and every lone surrogate becomes U+FFFD, nothing is refused.</summary>
internal static class GoText
{
    /// <summary>The same bytes, or a copy in which each byte that is no UTF-8 is the replacement character.</summary>
    public static ReadOnlySpan<byte> Repaired(ReadOnlySpan<byte> text)
    {
        if (Utf8.IsValid(text))
            return text;
        var made = new List<byte>(text.Length + 16);
        while (text.Length > 0)
        {
            var isRune = Rune.DecodeFromUtf8(text, out _, out var length) == System.Buffers.OperationStatus.Done;
            made.AddRange(isRune ? text[..length] : "\uFFFD"u8);
            text = text[(isRune ? length : 1)..];
        }
        return made.ToArray();
    }

    /// <summary>The text of the current token.</summary>
    public static string Read(ref Utf8JsonReader reader)
    {
        try
        {
            return reader.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Unescaped(Encoding.UTF8.GetString(reader.ValueSpan)); // an escaped surrogate without its other half
        }
    }

    private static string Unescaped(string text)
    {
        var made = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
            if (text[i] != '\\')
                made.Append(text[i]);
            else if (text[++i] == 'u')
            {
                made.Append((char)ushort.Parse(text.AsSpan(i + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture));
                i += 4;
            }
            else
                made.Append(text[i] switch { 'b' => '\b', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', var other => other });
        for (var i = 0; i < made.Length; i++)
            if (char.IsHighSurrogate(made[i]) && i + 1 < made.Length && char.IsLowSurrogate(made[i + 1]))
                i++;
            else if (char.IsSurrogate(made[i]))
                made[i] = '\uFFFD';
        return made.ToString();
    }
}
