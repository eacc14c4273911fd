"""What the CloudFormation types do; cfn.py lists them."""
