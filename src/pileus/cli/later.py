"""Verbs of Serverless Framework v3 that Pileus does not have yet: each answers with what to do until then.

They are no commands: `pileus --help` does not promise them. A verb that comes leaves this table.
"""

_PACKAGED = (
    "'pileus package' writes what Serverless Framework v3 deploys: 'serverless deploy --package .serverless'."
)
_STACK = "until then use Serverless Framework v3, or CloudFormation itself, on the same stack:"

#: The words of the command → what to do instead.
LATER = {
    "deploy": _PACKAGED,
    "deploy function": "'pileus package', then 'aws lambda update-function-code --function-name NAME --zip-file fileb://ZIP'.",
    "deploy list": f"{_STACK} 'serverless deploy list'.",
    "logs": "'pileus offline' shows them as they come; of AWS: 'aws logs tail /aws/lambda/NAME --follow'.",
    "metrics": f"{_STACK} 'serverless metrics'.",
    "rollback": f"{_STACK} 'serverless rollback --timestamp TIME'.",
    "rollback function": f"{_STACK} 'serverless rollback function -f NAME --function-version N'.",
    "prune": f"{_STACK} 'serverless prune -n N' (plugin serverless-prune-plugin).",
    "remove": "of 'pileus offline', delete the folder .pileus; of AWS: 'serverless remove'.",
}


def later(words: list[str]) -> tuple[str, str] | None:
    """The verb that these words begin with, and what to do instead of it."""
    for name in (" ".join(words[:2]), words[0] if words else ""):
        if name in LATER:
            return name, LATER[name]
    return None
