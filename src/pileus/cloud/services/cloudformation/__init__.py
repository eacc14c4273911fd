"""AWS CloudFormation: templates, stacks, change sets, and the engine that makes the first into the second."""
