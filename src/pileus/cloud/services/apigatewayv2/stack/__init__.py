"""The CloudFormation types, by what they are about; `cfn.py` lists them."""
