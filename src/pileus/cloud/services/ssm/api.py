"""The operations of the Parameter Store."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import AwsError, Call, NotEmulated, ValidationException, operation
from .errors import (
    InvalidAllowedPatternException,
    InvalidNextToken,
    InvalidResourceId,
    ParameterAlreadyExists,
    ParameterMaxVersionLimitExceeded,
    ParameterNotFound,
    ParameterPatternMismatchException,
    ParameterVersionLabelLimitExceeded,
    TooManyTagsError,
)
from .filters import Test, is_below, tests
from .parameter import Parameter, ParameterStore, check_name, parameter_of

Request = Mapping[str, Any]
Answer = dict[str, Any]

_LONGEST = {"Standard": 4096, "Advanced": 8192}  # bytes of a value
_VERSIONS_KEPT = 100
_LABELS_PER_VERSION = 10
_MOST_TAGS = 50
_SECRETS = "/aws/reference/secretsmanager/"
_END = "\U0010ffff"


class Ssm(ParameterStore):
    """AWS Systems Manager Parameter Store."""

    @operation("PutParameter")
    def put_parameter(self, call: Call, request: Request) -> Answer:
        for member in ("Policies",):
            if request.get(member):
                raise NotEmulated(f"ssm PutParameter.{member}")
        name = request["Name"]
        check_name(name)
        current = self.find(call, name)
        if current is not None and not request.get("Overwrite"):
            raise ParameterAlreadyExists(
                "The parameter already exists. To overwrite this value, set the overwrite option in the request to"
                " true."
            )
        if request.get("Tags") and request.get("Overwrite"):
            raise ValidationException(
                "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please"
                " remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or"
                " RemoveTagsFromResource."
            )
        new = self._new_version(call, request, current)
        if current is None:
            tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags") or []}
            self.store.execute(
                "INSERT INTO ssm_parameter (account,region,name,version,tags) VALUES (?,?,?,?,?)",
                (call.account, call.region, name, 1, orjson.dumps(tags)),
            )
        else:
            self._make_room(current)
            self.store.execute(
                "UPDATE ssm_parameter SET version=? WHERE account=? AND region=? AND name=?",
                (new.version, call.account, call.region, name),
            )
        self.add_version(new)
        return {"Version": new.version, "Tier": new.detail["Tier"]}

    def _new_version(self, call: Call, request: Request, current: Parameter | None) -> Parameter:
        kind = request.get("Type") or (current.type if current else None)
        if kind is None:
            raise ValidationException("A parameter type is required when you create a parameter.")
        held = current.detail if current else {}
        pattern = request.get("AllowedPattern", held.get("AllowedPattern"))
        data_type = request.get("DataType") or held.get("DataType", "text")
        if data_type != "text":
            raise NotEmulated(f"ssm PutParameter.DataType {data_type}")
        value = request["Value"]
        if not value:
            raise ValidationException("Parameter value can't be empty.")
        _check_pattern(pattern, value)
        detail = {
            "Description": request.get("Description", held.get("Description")),
            "AllowedPattern": pattern or None,
            "Tier": _tier(request.get("Tier"), held.get("Tier"), value),
            "DataType": data_type,
        }
        if kind == "SecureString":
            detail["KeyId"] = request.get("KeyId") or held.get("KeyId") or "alias/aws/ssm"
        return Parameter(
            call.account,
            call.region,
            request["Name"],
            current.version + 1 if current else 1,
            kind,
            value,
            call.now,
            call.principal.arn,
            detail,
        )

    def _make_room(self, current: Parameter) -> None:
        """A parameter keeps a hundred versions: the oldest goes, unless a label holds it."""
        oldest = current.version - _VERSIONS_KEPT + 1
        if oldest < 1:
            return
        held = [label for label, version in self.labels(current).items() if version == oldest]
        if held:
            raise ParameterMaxVersionLimitExceeded(
                f"You attempted to create a new version of {current.name} by calling the PutParameter API with the"
                f" overwrite flag. Version {oldest}, the oldest version, can't be deleted because it has a label"
                " associated with it. Move the label to another version of the parameter, and try again."
            )
        self.store.execute(
            "DELETE FROM ssm_version WHERE account=? AND region=? AND name=? AND version<=?",
            (current.account, current.region, current.name, oldest),
        )

    @operation("GetParameter", reads=True)
    def get_parameter(self, call: Call, request: Request) -> Answer:
        name = request["Name"]
        if name.startswith(_SECRETS):
            return {"Parameter": self._secret(call, name, request)}
        parameter, selector = self.selected(call, name)
        return {"Parameter": parameter.wire(decrypted=bool(request.get("WithDecryption")), selector=selector)}

    def _secret(self, call: Call, name: str, request: Request) -> Answer:
        """A secret of Secrets Manager under a parameter's name."""
        if not request.get("WithDecryption"):
            raise ValidationException(
                "WithDecryption flag must be True for retrieving a Secret Manager secret."
            )
        secret_id = name.removeprefix(_SECRETS)
        try:
            secret = self.cloud.call("secretsmanager", "GetSecretValue", {"SecretId": secret_id}, within=call)
        except AwsError as error:
            if error.code != "ResourceNotFoundException":
                raise
            raise ParameterNotFound(
                f"An error occurred (ParameterNotFound) when referencing Secrets Manager: Secret {name} not found."
            ) from None
        return {
            "Name": name,
            "Type": "SecureString",
            "Value": secret.get("SecretString", ""),
            "Version": 0,
            "SourceResult": orjson.dumps(
                {"ARN": secret["ARN"], "name": secret["Name"], "versionId": secret["VersionId"]}
            ).decode(),
            "LastModifiedDate": secret["CreatedDate"],
            "ARN": secret["ARN"],
        }

    @operation("GetParameters", reads=True)
    def get_parameters(self, call: Call, request: Request) -> Answer:
        found: list[Answer] = []
        invalid: list[str] = []
        for name in dict.fromkeys(request["Names"]):
            try:
                parameter, selector = self.selected(call, name)
            except AwsError as error:
                if not error.code.startswith("Parameter"):
                    raise
                invalid.append(name)
                continue
            found.append(parameter.wire(decrypted=bool(request.get("WithDecryption")), selector=selector))
        return {"Parameters": found, "InvalidParameters": invalid}

    @operation("GetParametersByPath", reads=True)
    def get_parameters_by_path(self, call: Call, request: Request) -> Answer:
        path = request["Path"]
        if not path.startswith("/"):
            raise ValidationException(
                "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a"
                ' forward slash "/". It can\'t be prefixed with "aws" or "ssm" (case-insensitive). It must use only'
                " letters, numbers, or the following symbols: . (period), - (hyphen), _ (underscore)."
                " Special characters are not allowed. All sub-paths, if specified, must use the forward slash symbol"
                ' "/". Valid example: /get/parameters2-/by1./path0_.'
            )
        prefix = path if path.endswith("/") else f"{path}/"
        passing = tests(request.get("ParameterFilters") or [], by_path=True)
        deep = bool(request.get("Recursive"))
        low = max(prefix, _position(request))
        found, token = self._page(
            call,
            low,
            prefix[:-1] + "0",  # "0" follows "/"
            request.get("MaxResults") or 10,
            passing,
            lambda name: is_below(name, prefix, deep),
        )
        decrypted = bool(request.get("WithDecryption"))
        return {"Parameters": [item.wire(decrypted=decrypted) for item in found], "NextToken": token}

    def _page(
        self, call: Call, low: str, high: str, size: int, passing: list[Test], wanted: Any
    ) -> tuple[list[Parameter], str | None]:
        found: list[Parameter] = []
        while True:
            batch = self.after(call, low, high, size + 1)
            for parameter in batch:
                if not wanted(parameter.name) or not self._passes(parameter, passing):
                    continue
                if len(found) == size:
                    return found, base64.urlsafe_b64encode(found[-1].name.encode()).decode()
                found.append(parameter)
            if len(batch) <= size:
                return found, None
            low = batch[-1].name

    def _passes(self, parameter: Parameter, passing: list[Test]) -> bool:
        if not passing:
            return True
        tags, labels = self.tags(parameter), self.labels(parameter)
        return all(test(parameter, tags, labels) for test in passing)

    @operation("DescribeParameters")
    def describe_parameters(self, call: Call, request: Request) -> Answer:
        if request.get("Shared"):
            raise NotEmulated("ssm DescribeParameters.Shared")
        if request.get("Filters") and request.get("ParameterFilters"):
            raise ValidationException("You can use either Filters or ParameterFilters in a single request.")
        old = [
            {**item, "Option": "BeginsWith" if item["Key"] == "Name" else None}
            for item in request.get("Filters") or []
        ]
        passing = tests(request.get("ParameterFilters") or old)
        found, token = self._page(
            call, _position(request), _END, request.get("MaxResults") or 50, passing, lambda name: True
        )
        return {"Parameters": [item.metadata() for item in found], "NextToken": token}

    @operation("GetParameterHistory")
    def get_parameter_history(self, call: Call, request: Request) -> Answer:
        parameter = self.latest(call, request["Name"])
        size = request.get("MaxResults") or 50
        after = int(_position(request) or 0)
        rows = self.store.all(
            "SELECT * FROM ssm_version WHERE account=? AND region=? AND name=? AND version>? ORDER BY version LIMIT ?",
            (parameter.account, parameter.region, parameter.name, after, size + 1),
        )
        labels = self.labels(parameter)
        decrypted = bool(request.get("WithDecryption"))
        history = []
        for row in rows[:size]:
            version = parameter_of(row)
            entry = version.metadata()
            del entry["ARN"]
            held = [label for label, number in labels.items() if number == version.version]
            history.append(entry | {"Value": version.shown(decrypted), "Labels": held})
        token = None
        if len(rows) > size:
            token = base64.urlsafe_b64encode(str(history[-1]["Version"]).encode()).decode()
        return {"Parameters": history, "NextToken": token}

    @operation("DeleteParameter")
    def delete_parameter(self, call: Call, request: Request) -> Answer:
        parameter = self.find(call, request["Name"])
        if parameter is None:
            raise ParameterNotFound()
        self.remove(parameter)
        return {}

    @operation("DeleteParameters")
    def delete_parameters(self, call: Call, request: Request) -> Answer:
        deleted: list[str] = []
        invalid: list[str] = []
        for name in dict.fromkeys(request["Names"]):
            parameter = self.find(call, name)
            if parameter is None:
                invalid.append(name)
            else:
                self.remove(parameter)
                deleted.append(name)
        return {"DeletedParameters": deleted, "InvalidParameters": invalid}

    # -- labels -----------------------------------------------------------------------------------------------------

    @operation("LabelParameterVersion")
    def label_parameter_version(self, call: Call, request: Request) -> Answer:
        parameter = self.latest(call, request["Name"])
        version = self.version(parameter, request.get("ParameterVersion") or parameter.version).version
        invalid = [label for label in request["Labels"] if not _is_label(label)]
        valid = [label for label in dict.fromkeys(request["Labels"]) if label not in invalid]
        for label in valid:
            self.store.execute(
                "INSERT OR REPLACE INTO ssm_label (account,region,name,label,version) VALUES (?,?,?,?,?)",
                (parameter.account, parameter.region, parameter.name, label, version),
            )
        if sum(number == version for number in self.labels(parameter).values()) > _LABELS_PER_VERSION:
            raise ParameterVersionLabelLimitExceeded(
                f"A parameter version can have maximum {_LABELS_PER_VERSION} labels."
                "Move one or more labels to another version and try again."
            )
        return {"InvalidLabels": invalid, "ParameterVersion": version}

    @operation("UnlabelParameterVersion")
    def unlabel_parameter_version(self, call: Call, request: Request) -> Answer:
        parameter = self.latest(call, request["Name"])
        version = self.version(parameter, request["ParameterVersion"]).version
        held = self.labels(parameter)
        removed = [label for label in dict.fromkeys(request["Labels"]) if held.get(label) == version]
        for label in removed:
            self.store.execute(
                "DELETE FROM ssm_label WHERE account=? AND region=? AND name=? AND label=?",
                (parameter.account, parameter.region, parameter.name, label),
            )
        invalid = [label for label in dict.fromkeys(request["Labels"]) if label not in removed]
        return {"RemovedLabels": removed, "InvalidLabels": invalid}

    # -- tags -------------------------------------------------------------------------------------------------------

    @operation("AddTagsToResource")
    def add_tags_to_resource(self, call: Call, request: Request) -> Answer:
        parameter = self._tagged(call, request)
        tags = self.tags(parameter) | {tag["Key"]: tag["Value"] for tag in request["Tags"]}
        if len(tags) > _MOST_TAGS:
            raise TooManyTagsError(f"The Targets parameter includes too many tags: at most {_MOST_TAGS}.")
        self.set_tags(parameter, tags)
        return {}

    @operation("RemoveTagsFromResource")
    def remove_tags_from_resource(self, call: Call, request: Request) -> Answer:
        parameter = self._tagged(call, request)
        gone = set(request["TagKeys"])
        self.set_tags(
            parameter, {key: value for key, value in self.tags(parameter).items() if key not in gone}
        )
        return {}

    @operation("ListTagsForResource")
    def list_tags_for_resource(self, call: Call, request: Request) -> Answer:
        tags = self.tags(self._tagged(call, request))
        return {"TagList": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _tagged(self, call: Call, request: Request) -> Parameter:
        if request["ResourceType"] != "Parameter":
            raise NotEmulated(f"ssm {call.operation}.ResourceType {request['ResourceType']}")
        found = self.find(call, request["ResourceId"])
        if found is None:
            raise InvalidResourceId(
                "The resource ID is not valid. Verify that you entered the correct ID and try again."
            )
        return found


def _check_pattern(pattern: str | None, value: str) -> None:
    if not pattern:
        return
    try:
        matched = re.search(pattern, value)
    except re.error:
        raise InvalidAllowedPatternException(f"Invalid regular expression: {pattern}") from None
    if matched is None:
        raise ParameterPatternMismatchException(
            f"Parameter value, cannot be validated against allowedPattern: {pattern}"
        )


def _tier(asked: str | None, held: str | None, value: str) -> str:
    size = len(value.encode())
    tier = asked or held or "Standard"
    if tier == "Intelligent-Tiering":
        tier = "Advanced" if size > _LONGEST["Standard"] or held == "Advanced" else "Standard"
    if held == "Advanced" and tier == "Standard":
        raise ValidationException(
            "This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the"
            " advanced-parameter tier to the standard-parameter tier. If necessary, you can delete the advanced"
            " parameter and recreate it as a standard parameter."
        )
    if size > _LONGEST[tier]:
        hint = (
            " To create a larger parameter value, upgrade the parameter to use the advanced-parameter tier. For more"
            " information, see https://docs.aws.amazon.com/systems-manager/latest/userguide/"
            "parameter-store-advanced-parameters.html"
            if tier == "Standard"
            else ""
        )
        raise ValidationException(
            f"{tier} tier parameters support a maximum parameter value of {_LONGEST[tier]} characters.{hint}"
        )
    return tier


def _is_label(label: str) -> bool:
    return bool(re.fullmatch(r"(?!aws|ssm)[a-zA-Z_.\-][a-zA-Z0-9_.\-]{0,99}", label, re.IGNORECASE))


def _position(request: Request) -> str:
    token = request.get("NextToken")
    if not token:
        return ""
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except ValueError:
        raise InvalidNextToken("The specified token is not valid.") from None
