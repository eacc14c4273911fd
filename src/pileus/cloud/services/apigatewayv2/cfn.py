"""The CloudFormation types AWS::ApiGatewayV2::*."""
