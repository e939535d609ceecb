using Governor.Compiler;

return await CompilerCommandLine.RunAsync(args, Console.Out, Console.Error, Environment.GetEnvironmentVariable, CancellationToken.None);
