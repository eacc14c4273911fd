"""A log group for each function that logs, with its retention and data protection."""

from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.service.tree import Json


def compile_log_groups(c: Compilation) -> None:
    for function in c.service.functions.values():
        if function.get("disableLogs"):
            continue
        properties: dict[str, Json] = {"LogGroupName": f"/aws/lambda/{function.name}"}
        retention = function.get("logRetentionInDays") or c.service.setting("logRetentionInDays")
        if retention:
            properties["RetentionInDays"] = retention
        protection = function.get("logDataProtectionPolicy") or c.service.setting("logDataProtectionPolicy")
        if protection:
            properties["DataProtectionPolicy"] = protection
        c.add(naming.log_group(function.key), {"Type": "AWS::Logs::LogGroup", "Properties": properties})
