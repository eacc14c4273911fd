"""CloudFormation's own types: nested stacks, wait condition handles, and custom resources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import orjson

from ...kernel import REPLACE, UPDATE, Created, NotEmulated, ResourceType, StackCall
from .coverage import ANY, CUSTOM
from .errors import StepFailed
from .parameters import text

if TYPE_CHECKING:
    from .api import CloudFormation

Properties = Mapping[str, Any]

_LONGEST_WAIT = 3600.0  # seconds: the default of ServiceTimeout


class WaitConditionHandle(ResourceType):
    """With no wait condition on it, a handle is an empty placeholder: templates use it as one."""

    type_name = "AWS::CloudFormation::WaitConditionHandle"

    def create(self, stack: StackCall, properties: Properties) -> Created:
        return Created(f"{stack.call.base_url}/_pileus/cfn-handle/{stack.call.ids.lower(32)}")

    def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        return Created(physical_id)

    def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        return


class NestedStack(ResourceType):
    type_name = "AWS::CloudFormation::Stack"
    properties = {"Parameters": UPDATE, "Tags": UPDATE, "TemplateURL": UPDATE, "TimeoutInMinutes": UPDATE}
    required = ("TemplateURL",)
    attributes = ("Outputs.*",)

    async def create(self, stack: StackCall, properties: Properties) -> Created:
        service = _service(stack)
        name = service.nested_name(stack)
        if service.find(stack.call.account, stack.call.region, name) is None:
            await service.create_nested(stack, name, self._request(stack, properties))
        return await self._outcome(stack, name, "CREATE_COMPLETE")

    async def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        service, call = _service(stack), stack.call
        nested = service.find(call.account, call.region, physical_id)
        if nested is None:
            raise StepFailed(f"Stack [{physical_id}] does not exist")
        if not nested.is_in_progress:
            request = {"StackName": nested.name, **self._request(stack, new)}
            try:
                await call.cloud.call_async("cloudformation", "UpdateStack", request, within=call)
            except Exception as error:
                if "No updates are to be performed" not in str(error):
                    raise
                return Created(physical_id, _outputs(nested.detail))
        return await self._outcome(stack, nested.name, "UPDATE_COMPLETE")

    async def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        service, call = _service(stack), stack.call
        nested = service.find(call.account, call.region, physical_id)
        if nested is None or nested.deleted is not None:
            return
        await call.cloud.call_async("cloudformation", "DeleteStack", {"StackName": nested.name}, within=call)
        status = await service.wait(call.account, call.region, physical_id)
        if status != "DELETE_COMPLETE":
            raise StepFailed(f"Embedded stack {physical_id} was not successfully deleted: {status}")

    def _request(self, stack: StackCall, properties: Properties) -> dict[str, Any]:
        parameters = [
            {
                "ParameterKey": key,
                "ParameterValue": ",".join(map(text, value)) if isinstance(value, list) else text(value),
            }
            for key, value in (properties.get("Parameters") or {}).items()
        ]
        return {
            "TemplateURL": properties["TemplateURL"],
            "Parameters": parameters,
            "Capabilities": ["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
            "Tags": [
                {"Key": k, "Value": v} for k, v in stack.all_tags(properties).items() if k[:4] != "aws:"
            ],
        }

    async def _outcome(self, stack: StackCall, name: str, wanted: str) -> Created:
        service, call = _service(stack), stack.call
        status = await service.wait(call.account, call.region, name)
        nested = service.find(call.account, call.region, name)
        if nested is None or status != wanted:
            reason = nested.reason if nested else None
            raise StepFailed(
                f"Embedded stack {nested.id if nested else name} was not successfully"
                f" {wanted.partition('_')[0].lower()}d: {reason or status}"
            )
        return Created(nested.id, _outputs(nested.detail))


def _outputs(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {f"Outputs.{item['OutputKey']}": item["OutputValue"] for item in detail.get("outputs") or []}


class CustomResource(ResourceType):
    """`AWS::CloudFormation::CustomResource` and every `Custom::Name`, served by a function."""

    type_name = CUSTOM
    properties = {ANY: UPDATE, "ServiceToken": REPLACE, "ServiceTimeout": UPDATE}
    required = ("ServiceToken",)
    attributes = (ANY,)

    async def create(self, stack: StackCall, properties: Properties) -> Created:
        response = await self._ask(stack, "Create", properties, {})
        physical_id = response.get("PhysicalResourceId")
        if not physical_id:
            raise StepFailed("Invalid PhysicalResourceId")
        return Created(physical_id, response.get("Data") or {})

    async def update(self, stack: StackCall, physical_id: str, old: Properties, new: Properties) -> Created:
        more = {"PhysicalResourceId": physical_id, "OldResourceProperties": _shown(old)}
        response = await self._ask(stack, "Update", new, more)
        return Created(response.get("PhysicalResourceId") or physical_id, response.get("Data") or {})

    async def delete(self, stack: StackCall, physical_id: str, properties: Properties) -> None:
        await self._ask(stack, "Delete", properties, {"PhysicalResourceId": physical_id})

    async def _ask(
        self, stack: StackCall, kind: str, properties: Properties, more: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Invokes the function and waits for what it PUTs; asked before a kill, it is not asked again."""
        service, cloud = _service(stack), stack.call.cloud
        target = str(properties["ServiceToken"])
        if ":lambda:" not in target:
            raise NotEmulated("cloudformation custom resources on SNS topics")
        asked = f"{kind} {stack.logical_id} {more.get('PhysicalResourceId', '')}"
        token, request_id, is_new = service.open_request(stack.stack_id, stack.logical_id, asked)
        event = {
            "RequestType": kind,
            "ServiceToken": target,
            "ResponseURL": f"{cloud.settings.endpoint}/_pileus/cfn-response/{token}",
            "StackId": stack.stack_id,
            "RequestId": request_id,
            "LogicalResourceId": stack.logical_id,
            "ResourceType": stack.call.attributes.get("resource_type", CUSTOM),
            "ResourceProperties": _shown(properties),
            **more,
        }
        if is_new:
            with cloud.store.transaction():
                cloud.functions.invoke_async(target, orjson.dumps(event), source_arn=stack.stack_id)
        seconds = float(properties.get("ServiceTimeout") or _LONGEST_WAIT)
        response = await service.answer(token, seconds)
        with cloud.store.transaction():
            service.close_request(stack.stack_id, stack.logical_id)
        if response is None:
            raise StepFailed(
                "CloudFormation did not receive a response from your Custom Resource. Please check your logs for"
                f" requestId [{request_id}]. If you are using the Python cfn-response module, you may need to update"
                " your Lambda function code so that CloudFormation can attach the updated version."
            )
        if response["Status"] == "FAILED":
            raise StepFailed(
                f"Received response status [FAILED] from custom resource. Message returned:"
                f" {response.get('Reason', '')} (RequestId: {request_id})"
            )
        return response


def _shown(value: Any) -> Any:
    """Properties as functions get them: every scalar as text."""
    if isinstance(value, Mapping):
        return {key: _shown(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_shown(child) for child in value]
    return value if isinstance(value, str) else text(value)


def _service(stack: StackCall) -> CloudFormation:
    return cast("CloudFormation", stack.call.cloud.service("cloudformation"))
