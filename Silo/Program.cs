using Governor.Silo.Hosting;

var app = GovernorSilo.Build(args);
await app.RunAsync();
