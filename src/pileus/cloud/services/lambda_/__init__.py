"""AWS Lambda: functions, their versions, aliases and permissions, invocation, and the pollers of event sources."""
