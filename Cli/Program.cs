using Governor.Cli;

return await GovernorCommand.RunAsync(args, Console.Out, Console.Error);
