"""The command line: one file a command, thin; each prints through `ui`."""
