using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Governor.Silo.Metrics;

/// <summary>
/// Our meters and the actor host's in Prometheus' text format 0.0.4. Counters and gauges keep their last value or sum; histograms count, sum and fill
/// fixed buckets (seconds).
/// </summary>
internal sealed class PrometheusText : IDisposable
{
    public const string ContentType = "text/plain; version=0.0.4";

    private const int MostSeries = 10_000;

    private static readonly double[] Bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

    private readonly ConcurrentDictionary<(string Name, string Labels), Series> _series = new();
    private readonly MeterListener _listener = new();

    public void Start()
    {
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (IsLetThrough(instrument.Meter.Name))
                listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((i, v, tags, _) => Record(i, v, tags));
        _listener.SetMeasurementEventCallback<int>((i, v, tags, _) => Record(i, v, tags));
        _listener.SetMeasurementEventCallback<double>((i, v, tags, _) => Record(i, v, tags));
        _listener.Start();
    }

    public string Render()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var family in _series.OrderBy(s => s.Key).GroupBy(s => s.Key.Name))
        {
            var kind = family.First().Value.Kind;
            text.Append(CultureInfo.InvariantCulture, $"# TYPE {family.Key} {kind}\n");
            foreach (var ((name, labels), series) in family)
                series.Render(text, name, labels);
        }
        return text.ToString();
    }

    public void Dispose() => _listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var kind = instrument switch
        {
            Histogram<double> or Histogram<long> or Histogram<int> => "histogram",
            Counter<double> or Counter<long> or Counter<int> => "counter",
            _ => "gauge",
        };
        var name = Name(instrument.Name) + (kind == "counter" ? "_total" : "");
        var key = (name, Labels(tags));
        if (!_series.TryGetValue(key, out var series))
        {
            if (_series.Count >= MostSeries)
                return;
            series = _series.GetOrAdd(key, _ => new Series(kind));
        }
        series.Record(value, adds: instrument is Counter<double> or Counter<long> or Counter<int> or UpDownCounter<double> or UpDownCounter<long> or UpDownCounter<int>);
    }

    // The embedded host measures under the name that Orleans uses.
    private static bool IsLetThrough(string meter) => meter == "Microsoft.Orleans" || meter.StartsWith("Governor.", StringComparison.Ordinal);

    private static string Name(string instrument) => instrument.Replace('.', '_').Replace('-', '_');

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
            return "";
        var text = new StringBuilder();
        foreach (var tag in tags)
        {
            var value = Convert.ToString(tag.Value, CultureInfo.InvariantCulture) ?? "";
            value = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
            text.Append(text.Length == 0 ? "" : ",").Append(Name(tag.Key)).Append("=\"").Append(value).Append('"');
        }
        return text.ToString();
    }

    private sealed class Series(string kind)
    {
        private readonly Lock _lock = new();
        private readonly long[] _buckets = new long[Bounds.Length];
        private double _value;
        private long _count;

        public string Kind => kind;

        public void Record(double value, bool adds)
        {
            lock (_lock)
            {
                if (kind == "histogram")
                {
                    _count++;
                    _value += value;
                    for (var i = 0; i < Bounds.Length; i++)
                        if (value <= Bounds[i])
                            _buckets[i]++;
                }
                else
                {
                    _value = adds ? _value + value : value;
                }
            }
        }

        public void Render(StringBuilder text, string name, string labels)
        {
            lock (_lock)
            {
                if (kind != "histogram")
                {
                    Line(text, name, labels, _value);
                    return;
                }
                var comma = labels.Length == 0 ? "" : ",";
                for (var i = 0; i < Bounds.Length; i++)
                    Line(text, name + "_bucket", string.Create(CultureInfo.InvariantCulture, $"{labels}{comma}le=\"{Bounds[i]}\""), _buckets[i]);
                Line(text, name + "_bucket", $"{labels}{comma}le=\"+Inf\"", _count);
                Line(text, name + "_sum", labels, _value);
                Line(text, name + "_count", labels, _count);
            }
        }

        private static void Line(StringBuilder text, string name, string labels, double value) =>
            text.Append(name).Append(labels.Length == 0 ? "" : $"{{{labels}}}").Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }
}
