"""The command line: parse, call one engine function, render, exit code. Knows no host and no wire."""
