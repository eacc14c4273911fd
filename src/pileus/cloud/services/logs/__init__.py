"""CloudWatch Logs: groups, streams and events; what functions print ends here."""
