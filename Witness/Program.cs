using Governor.Domain.Transparency;
using Governor.Witness.Hosting;
using Governor.Witness.Keys;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

// governor-witness [run] [settings]   watches logs until it is told to stop
// governor-witness key [settings]     prints its verifier key, which the owners of logs pin; makes the key where there is none
var verb = args is ["run" or "key", ..] ? args[0] : "run";
var settings = args is ["run" or "key", ..] ? args[1..] : args;
try
{
    if (verb == "key")
    {
        var options = WitnessHost.Read(settings).Options;
        if (!VerifierKey.IsName(options.Name) || options.KeyFile.Length == 0)
            throw new InvalidOperationException($"expected {WitnessOptions.Section}:Name and {WitnessOptions.Section}:KeyFile, found '{options.Name}' and '{options.KeyFile}'");
        using var key = WitnessKey.Open(options.KeyFile, options.Name);
        Console.WriteLine(key.Key);
        return 0;
    }
    await WitnessHost.Build(settings).RunAsync();
    return 0;
}
catch (OptionsValidationException e)
{
    foreach (var failure in e.Failures)
        await Console.Error.WriteLineAsync(failure);
    return 2;
}
catch (InvalidOperationException e)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 2;
}
