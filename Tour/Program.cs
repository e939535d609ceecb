using System.CommandLine;
using System.Diagnostics;
using Governor.Tour;

var once = new Option<bool>("--once") { Description = "Run the main job to completion, print its outcome and end." };
var json = new Option<bool>("--json") { Description = "Print the outcome as one JSON document on standard output; with --once." };
var keep = new Option<string?>("--folder") { Description = "Keep data, kubeconfigs and logs here; a new temporary folder otherwise." };
var sandbox = new Option<string[]>("--sandbox") { Description = "Start sandbox clusters of these names and nothing else, and print how to reach them.", AllowMultipleArgumentsPerToken = true };
var command = new RootCommand("Starts everything that Governor needs on this machine, delivers a signed sample pack through its gates to a tenant, and shows it.")
{
    once, json, keep, sandbox,
};
command.SetAction((parsed, cancellation) => parsed.GetValue(sandbox) is { Length: > 0 } names
    ? new SandboxShow(names, parsed.GetValue(keep)).RunAsync(cancellation)
    : new Show(parsed.GetValue(once), parsed.GetValue(json), parsed.GetValue(keep), Stopwatch.StartNew()).RunAsync(cancellation));
return await command.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(30) });
