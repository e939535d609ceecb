using Governor.Silo.Hosting;
using Microsoft.Extensions.Options;

try
{
    await GovernorSilo.Build(args).RunAsync();
    return 0;
}
catch (OptionsValidationException e)
{
    foreach (var failure in e.Failures)
        await Console.Error.WriteLineAsync(failure);
    return 2;
}
