"""CloudFormation types of X-Ray: none are emulated (groups and sampling rules are refused)."""
