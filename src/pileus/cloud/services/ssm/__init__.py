"""AWS Systems Manager, as far as it is the Parameter Store."""
