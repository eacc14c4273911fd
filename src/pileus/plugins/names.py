"""Which plugin of `plugins:` is which module here, and what is known of others.

A key is the name of a package in npm. Modules stand beside this one.
"""

#: Built in: the module that does what the package does.
BUILT_IN = {
    "serverless-api-gateway-throttling": "throttling",
    "serverless-bundle": "bundling",
    "serverless-dotenv-plugin": "dotenv",
    "serverless-esbuild": "bundling",
    "serverless-iam-roles-per-function": "roles_per_function",
    "serverless-offline": "offline",
    "serverless-plugin-git-variables": "git_variables",
    "serverless-plugin-typescript": "bundling",
    "serverless-plugin-warmup": "warmup",
    "serverless-prune-plugin": "prune",
    "serverless-python-requirements": "python_requirements",
    "serverless-webpack": "bundling",
}

#: Packages that run one AWS service beside serverless-offline, which `pileus offline` does by itself.
NEEDLESS = {
    "serverless-dynamodb": "DynamoDB",
    "serverless-dynamodb-local": "DynamoDB",
    "serverless-localstack": "all of the stack",
    "serverless-offline-dynamodb-streams": "DynamoDB streams",
    "serverless-offline-kinesis": "streams",
    "serverless-offline-scheduler": "schedules",
    "serverless-offline-ses-v2": "mail",
    "serverless-offline-sns": "SNS",
    "serverless-offline-sqs": "SQS",
    "serverless-offline-ssm": "SSM",
    "serverless-s3-local": "S3",
}

#: Packages without an equivalent: the parts of serverless.yml that they read (custom.*, or the top's), and what they do.
LOST = {
    "serverless-add-api-key": (("custom.apiKeys",), "no API keys are made or associated"),
    "serverless-apigw-binary": (("custom.apigwBinary",), "set provider.apiGateway.binaryMediaTypes instead"),
    "serverless-appsync-plugin": (("appSync", "custom.appSync"), "no GraphQL API is made"),
    "serverless-associate-waf": (("custom.associateWaf",), "no WAF is associated with the API"),
    "serverless-aws-alias": ((), "functions have no aliases but those for provisionedConcurrency"),
    "serverless-domain-manager": (("custom.customDomain",), "no custom domain is mapped to the API"),
    "serverless-finch": (("custom.client",), "the site is not uploaded"),
    "serverless-plugin-aws-alerts": (("custom.alerts",), "no alarms are made"),
    "serverless-plugin-canary-deployments": (
        ("custom.deploymentSettings",),
        "traffic is moved to a new version at once",
    ),
    "serverless-plugin-datadog": (("custom.datadog",), "functions are not instrumented"),
    "serverless-plugin-include-dependencies": ((), "functions are packaged with all of node_modules"),
    "serverless-plugin-lambda-dead-letter": ((), "set onError of the functions instead"),
    "serverless-plugin-log-retention": (
        ("custom.logRetentionInDays",),
        "set provider.logRetentionInDays instead",
    ),
    "serverless-plugin-optimize": (("custom.optimize",), "functions are packaged as they are"),
    "serverless-plugin-resource-tagging": ((), "set provider.stackTags instead"),
    "serverless-plugin-scripts": (("custom.scripts",), "no script is run"),
    "serverless-plugin-split-stacks": (("custom.splitStacks",), "everything stays in one stack"),
    "serverless-plugin-tracing": ((), "set provider.tracing instead"),
    "serverless-pseudo-parameters": ((), "write !Sub with ${AWS::Region} instead of #{AWS::Region}"),
    "serverless-s3-sync": (("custom.s3Sync",), "no files are uploaded to buckets"),
    "serverless-scriptable-plugin": (("custom.scriptHooks", "custom.scriptable"), "no script is run"),
    "serverless-wsgi": (
        ("custom.wsgi",),
        "the module wsgi_handler is not added: functions that name it as their handler fail",
    ),
    "serverless-step-functions": (("stepFunctions",), "no state machine is made"),
    "serverless-stage-manager": (("custom.stages",), "any stage may be deployed"),
}
