"""`iotFleetProvisioning`: the function decides which devices AWS IoT provisions from a template."""

from pileus.compile import naming
from pileus.compile.compilation import Compilation
from pileus.compile.events.source_mapping import compact
from pileus.service.model import Event, Function
from pileus.service.tree import Json


def compile_events(c: Compilation, uses: list[tuple[Function, Event]]) -> None:
    seen: set[str] = set()
    for function, event in uses:
        if function.key in seen:
            message = f"the function '{function.key}' can have one iotFleetProvisioning event only"
            c.mistake(message, event.path, "make a function for each template")
        seen.add(function.key)
        _template(c, function, event)


def _template(c: Compilation, function: Function, event: Event) -> None:
    permission = naming.permission(function.key, "IotProvisioningTemplate")
    depends_on = [permission]
    if alias := c.aliases.get(function.key):
        depends_on.append(alias.logical_id)
    properties: dict[str, Json] = {
        "Enabled": event.get("enabled") is not False,
        "PreProvisioningHook": {"TargetArn": c.arn(function)},
        "ProvisioningRoleArn": event.get("provisioningRoleArn"),
        "TemplateBody": compact(event.get("templateBody")),
    }
    if event.get("templateName"):
        properties["TemplateName"] = event.get("templateName")
    kind = "AWS::IoT::ProvisioningTemplate"
    resource: dict[str, Json] = {"Type": kind, "Properties": properties, "DependsOn": depends_on}
    c.add(f"{naming.normalise(function.key)}IotProvisioningTemplate", resource)
    c.permit(permission, function, "iot.amazonaws.com")
