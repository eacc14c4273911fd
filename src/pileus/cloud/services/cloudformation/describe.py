"""Operations that read: stacks, resources, events, templates, exports."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from ...kernel import Call, NotEmulated, ValidationError, operation
from .coverage import ResourceCoverage, coverage
from .errors import ChangeSetNotFound
from .plan import required_capabilities
from .references import check_names
from .requests import template_body
from .stack import Resource, Stack, Stacks, stack_of
from .template import Template

Request = Mapping[str, Any]
Answer = dict[str, Any]

_PAGE = 100
_NOT_CHECKED = {"StackDriftStatus": "NOT_CHECKED"}
_RESOURCE_NOT_CHECKED = {"StackResourceDriftStatus": "NOT_CHECKED"}


class StackDescriptions(Stacks):
    @operation("DescribeStacks")
    def describe_stacks(self, call: Call, request: Request) -> Answer:
        if request.get("StackName"):
            return {"Stacks": [self._wire(self.existing(call, request["StackName"]))]}
        stacks, token = self._page(call, request, "deleted IS NULL", ())
        return {"Stacks": [self._wire(stack) for stack in stacks], "NextToken": token}

    @operation("ListStacks")
    def list_stacks(self, call: Call, request: Request) -> Answer:
        wanted = request.get("StackStatusFilter") or []
        condition = f"status IN ({','.join('?' * len(wanted))})" if wanted else "1"
        stacks, token = self._page(call, request, condition, wanted)
        return {"StackSummaries": [_summary(stack) for stack in stacks], "NextToken": token}

    def _page(
        self, call: Call, request: Request, condition: str, values: Sequence[str]
    ) -> tuple[list[Stack], str | None]:
        """The newest first."""
        created, stack_id = _cursor(request, [1e18, ""])
        rows = self.store.all(
            "SELECT * FROM cfn_stack WHERE account=? AND region=? AND (created<? OR (created=? AND id>?))"
            f" AND {condition} ORDER BY created DESC, id LIMIT ?",
            (call.account, call.region, created, created, stack_id, *values, _PAGE + 1),
        )
        stacks = [stack_of(row) for row in rows[:_PAGE]]
        return stacks, _token([stacks[-1].created, stacks[-1].id]) if len(rows) > _PAGE else None

    def _wire(self, stack: Stack) -> Answer:
        detail = stack.detail
        return {
            "StackId": stack.id,
            "StackName": stack.name,
            "Description": detail.get("description"),
            "Parameters": shown_parameters(detail),
            "CreationTime": stack.created,
            "LastUpdatedTime": stack.updated,
            "DeletionTime": stack.deleted,
            "StackStatus": stack.status,
            "StackStatusReason": stack.reason,
            "DisableRollback": bool(detail.get("disable_rollback")),
            "NotificationARNs": [],
            "RollbackConfiguration": {},
            "TimeoutInMinutes": detail.get("timeout"),
            "Capabilities": detail.get("capabilities") or None,
            "Outputs": detail.get("outputs") or None,
            "RoleARN": detail.get("role"),
            "Tags": [{"Key": key, "Value": value} for key, value in detail["tags"].items()],
            "EnableTerminationProtection": bool(detail.get("protected")),
            "ParentId": stack.parent,
            "RootId": self._root(stack),
            "DriftInformation": _NOT_CHECKED,
        }

    def _root(self, stack: Stack) -> str | None:
        root, above = None, stack.parent
        while above is not None:
            root = above
            found = self.by_id(above)
            above = found.parent if found else None
        return root

    # -- resources --------------------------------------------------------------------------------------------------

    @operation("DescribeStackResource")
    def describe_stack_resource(self, call: Call, request: Request) -> Answer:
        stack = self.existing(call, request["StackName"], "Stack '{}' does not exist")
        name = request["LogicalResourceId"]
        resource = self.resources(stack.id).get(name)
        if resource is None:
            raise ValidationError(f"Resource {name} does not exist for stack {stack.name}")
        metadata = None if resource.metadata is None else orjson.dumps(resource.metadata).decode()
        return {
            "StackResourceDetail": {
                "StackName": stack.name,
                "StackId": stack.id,
                "LastUpdatedTimestamp": resource.updated,
                "Metadata": metadata,
                **_resource(resource),
            }
        }

    @operation("DescribeStackResources")
    def describe_stack_resources(self, call: Call, request: Request) -> Answer:
        stack = self._owner(call, request)
        wanted = request.get("LogicalResourceId")
        found = [
            {
                "StackName": stack.name,
                "StackId": stack.id,
                "Timestamp": resource.updated,
                **_resource(resource),
            }
            for resource in self.resources(stack.id).values()
            if wanted is None or resource.logical_id == wanted
        ]
        if wanted is not None and not found:
            raise ValidationError(f"Resource {wanted} does not exist for stack {stack.name}")
        return {"StackResources": found}

    def _owner(self, call: Call, request: Request) -> Stack:
        physical_id = request.get("PhysicalResourceId")
        if request.get("StackName"):
            return self.existing(call, request["StackName"])
        if not physical_id:
            raise ValidationError("Either StackName or PhysicalResourceId must be specified")
        for row in self.store.all("SELECT stack FROM cfn_resource WHERE physical_id=?", (physical_id,)):
            stack = self.find(call.account, call.region, row["stack"])
            if stack is not None:
                return stack
        raise ValidationError(f"Stack for {physical_id} does not exist")

    @operation("ListStackResources")
    def list_stack_resources(self, call: Call, request: Request) -> Answer:
        stack = self.existing(call, request["StackName"])
        (start,) = _cursor(request, [0])
        resources = list(self.resources(stack.id).values())[start : start + _PAGE + 1]
        summaries = [
            {"LastUpdatedTimestamp": resource.updated, **_resource(resource)}
            for resource in resources[:_PAGE]
        ]
        for summary in summaries:
            summary.pop("Description", None)
        token = _token([start + _PAGE]) if len(resources) > _PAGE else None
        return {"StackResourceSummaries": summaries, "NextToken": token}

    @operation("DescribeStackEvents")
    def describe_stack_events(self, call: Call, request: Request) -> Answer:
        stack = self.existing(call, request["StackName"], "Stack [{}] does not exist")
        (before,) = _cursor(request, [1 << 62])
        rows = self.store.all(
            "SELECT * FROM cfn_event WHERE stack=? AND id<? ORDER BY id DESC LIMIT ?",
            (stack.id, before, _PAGE + 1),
        )
        events = [
            {
                "StackId": stack.id,
                "EventId": row["event_id"],
                "StackName": stack.name,
                "LogicalResourceId": row["logical_id"],
                "PhysicalResourceId": row["physical_id"] or "",
                "ResourceType": row["type"],
                "Timestamp": row["time"],
                "ResourceStatus": row["status"],
                "ResourceStatusReason": row["reason"],
                "ClientRequestToken": row["token"],
            }
            for row in rows[:_PAGE]
        ]
        return {
            "StackEvents": events,
            "NextToken": _token([rows[_PAGE - 1]["id"]]) if len(rows) > _PAGE else None,
        }

    # -- templates --------------------------------------------------------------------------------------------------

    @operation("GetTemplate")
    def get_template(self, call: Call, request: Request) -> Answer:
        name, change_set = request.get("StackName"), request.get("ChangeSetName")
        if change_set:
            row = self.change_set_row(call, change_set, name)
            return {"TemplateBody": row["body"], "StagesAvailable": ["Original", "Processed"]}
        if not name:
            raise ValidationError("StackName is required if ChangeSetName is not specified.")
        stack = self.existing(call, name)
        return {"TemplateBody": stack.body, "StagesAvailable": ["Original", "Processed"]}

    def change_set_row(self, call: Call, name_or_id: str, stack_name: str | None) -> Any:
        """Raises ChangeSetNotFound."""
        if name_or_id.startswith("arn:"):
            row = self.store.one("SELECT * FROM cfn_change_set WHERE id=?", (name_or_id,))
            if row is not None and self.find(call.account, call.region, row["stack"]) is None:
                row = None
        elif not stack_name:
            raise ValidationError("StackName must be specified if ChangeSetName is not specified as an ARN.")
        else:
            stack = self.find(call.account, call.region, stack_name)
            row = self.store.one(
                "SELECT * FROM cfn_change_set WHERE stack=? AND name=?",
                (stack.id if stack else "", name_or_id),
            )
        if row is None:
            raise ChangeSetNotFound(f"ChangeSet [{name_or_id}] does not exist")
        return row

    @operation("ValidateTemplate")
    async def validate_template(self, call: Call, request: Request) -> Answer:
        template = self.template(await template_body(self, call, request))
        check_names(template)
        parameters = [
            {
                "ParameterKey": name,
                "DefaultValue": spec.default,
                "NoEcho": spec.no_echo,
                "Description": spec.description,
            }
            for name, spec in template.parameters.items()
        ]
        return {"Parameters": parameters, "Description": template.description, **_needs(template)}

    @operation("GetTemplateSummary")
    async def get_template_summary(self, call: Call, request: Request) -> Answer:
        if request.get("StackSetName"):
            raise NotEmulated("cloudformation GetTemplateSummary.StackSetName")
        if request.get("StackName"):
            body = self.existing(call, request["StackName"]).body
        else:
            body = await template_body(self, call, request)
        template = self.template(body)
        check_names(template)
        parameters = [
            {
                "ParameterKey": name,
                "DefaultValue": spec.default,
                "ParameterType": spec.type,
                "NoEcho": spec.no_echo,
                "Description": spec.description,
                "ParameterConstraints": {"AllowedValues": list(spec.allowed_values)}
                if spec.allowed_values
                else {},
            }
            for name, spec in template.parameters.items()
        ]
        return {
            "Parameters": parameters,
            "Description": template.description,
            "ResourceTypes": list(dict.fromkeys(spec.type for spec in template.resources.values())),
            "Version": template.version,
            "Metadata": None if template.metadata is None else orjson.dumps(template.metadata).decode(),
            **_needs(template),
        }

    # -- exports ----------------------------------------------------------------------------------------------------

    @operation("ListExports")
    def list_exports(self, call: Call, request: Request) -> Answer:
        (after,) = _cursor(request, [""])
        rows = self.store.all(
            "SELECT name,stack,value FROM cfn_export WHERE account=? AND region=? AND name>? ORDER BY name LIMIT ?",
            (call.account, call.region, after, _PAGE + 1),
        )
        exports = [
            {"ExportingStackId": row["stack"], "Name": row["name"], "Value": row["value"]}
            for row in rows[:_PAGE]
        ]
        return {"Exports": exports, "NextToken": _token([exports[-1]["Name"]]) if len(rows) > _PAGE else None}

    @operation("ListImports")
    def list_imports(self, call: Call, request: Request) -> Answer:
        name = request["ExportName"]
        rows = self.store.all(
            "SELECT stack FROM cfn_import WHERE account=? AND region=? AND name=? ORDER BY stack",
            (call.account, call.region, name),
        )
        if not rows:
            raise ValidationError(f"Export '{name}' is not imported by any stack.")
        return {"Imports": [row["stack"].split("/")[1] for row in rows]}

    def coverage(self, body: str) -> list[ResourceCoverage]:
        """What of a template is emulated, stored only or refused, resource by resource; nothing is created."""
        return coverage(self.template(body), self.cloud.resource_type)


def shown_parameters(detail: Mapping[str, Any]) -> list[Answer]:
    """A stack's parameters as answers show them: what is NoEcho is masked."""
    hidden = detail.get("no_echo") or ()
    resolved = detail.get("resolved") or {}
    return [
        {
            "ParameterKey": name,
            "ParameterValue": "****" if name in hidden else value,
            "ResolvedValue": resolved.get(name),
        }
        for name, value in detail["parameters"].items()
    ]


def _summary(stack: Stack) -> Answer:
    return {
        "StackId": stack.id,
        "StackName": stack.name,
        "TemplateDescription": stack.detail.get("description"),
        "CreationTime": stack.created,
        "LastUpdatedTime": stack.updated,
        "DeletionTime": stack.deleted,
        "StackStatus": stack.status,
        "StackStatusReason": stack.reason,
        "ParentId": stack.parent,
        "DriftInformation": _NOT_CHECKED,
    }


def _resource(resource: Resource) -> Answer:
    return {
        "LogicalResourceId": resource.logical_id,
        "PhysicalResourceId": resource.physical_id,
        "ResourceType": resource.type,
        "ResourceStatus": resource.status,
        "ResourceStatusReason": resource.reason,
        "Description": resource.description,
        "DriftInformation": _RESOURCE_NOT_CHECKED,
    }


def _needs(template: Template) -> Answer:
    needed, types = required_capabilities(template, template.resources)
    answer: Answer = {"DeclaredTransforms": list(template.transforms)}
    if needed:
        answer["Capabilities"] = [needed]
        answer["CapabilitiesReason"] = f"The following resource(s) require capabilities: [{', '.join(types)}]"
    return answer


def _token(position: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode()


def _cursor(request: Request, start: list[Any]) -> list[Any]:
    token = request.get("NextToken")
    if not token:
        return start
    try:
        position = orjson.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        position = None
    if not isinstance(position, list) or [type(item) for item in position] != [
        float if isinstance(item, float) else type(item) for item in start
    ]:
        raise ValidationError("Invalid NextToken.")
    return position
