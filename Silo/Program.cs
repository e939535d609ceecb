System.Console.Out.Flush();
