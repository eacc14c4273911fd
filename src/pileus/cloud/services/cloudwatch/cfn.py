"""CloudWatch has no CloudFormation types here yet (alarms and dashboards are not emulated)."""
