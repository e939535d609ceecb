using System.CommandLine;
using System.Diagnostics;
using Governor.Tour;

var once = new Option<bool>("--once") { Description = "Run the main job to completion, print its outcome and end." };
var json = new Option<bool>("--json") { Description = "Print the outcome as one JSON document on standard output; with --once." };
var keep = new Option<string?>("--folder") { Description = "Keep data, kubeconfigs and logs here; a new temporary folder otherwise." };
var command = new RootCommand("Starts everything that Governor needs on this machine, delivers a signed sample pack through its gates to a tenant, and shows it.")
{
    once, json, keep,
};
command.SetAction((parsed, cancellation) => new Show(parsed.GetValue(once), parsed.GetValue(json), parsed.GetValue(keep), Stopwatch.StartNew()).RunAsync(cancellation));
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
