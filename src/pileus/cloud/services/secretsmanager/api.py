"""The operations of Secrets Manager. Rotation and replication are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from ...kernel import AwsError, Call, Job, NotEmulated, consumer, operation
from .errors import (
    InvalidParameterException,
    InvalidRequestException,
    LimitExceededException,
    MalformedPolicyDocumentException,
    ResourceExistsException,
    ResourceNotFoundException,
)
from .listing import Listing, next_token, position
from .passwords import random_password
from .secret import CURRENT, DAY, Secret, Value

Request = Mapping[str, Any]
Answer = dict[str, Any]

_MOST_TAGS = 50


class SecretsManager(Listing):
    """AWS Secrets Manager."""

    @operation("CreateSecret")
    def create_secret(self, call: Call, request: Request) -> Answer:
        for member in ("AddReplicaRegions", "ForceOverwriteReplicaSecret", "Type", "CrossAccountPrimaryARN"):
            if request.get(member):
                raise NotEmulated(f"secretsmanager CreateSecret.{member}")
        name, value = request["Name"], Value.of(request)
        token = request.get("ClientRequestToken")
        if not re.fullmatch(r"[A-Za-z0-9/_+=.@!-]{1,512}", name):
            raise InvalidParameterException(
                "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following:"
                " -/_+=.@!"
            )
        existing = self.find(call, name)
        if existing is not None:
            if existing.deleted is not None:
                raise InvalidRequestException(
                    "You can't create this secret because a secret with this name is already scheduled for deletion."
                )
            if value is None or token is None or not self._is_repeated(existing, token, value):
                raise ResourceExistsException(
                    f"The operation failed because the secret {name} already exists."
                )
            return {"ARN": existing.arn, "Name": name, "VersionId": token}
        arn = call.arn(f"secret:{name}-{self.ids.mixed(6)}")
        detail = {
            "Description": request.get("Description"),
            "KmsKeyId": request.get("KmsKeyId"),
            "Tags": _merged({}, request.get("Tags") or []),
        }
        secret = Secret(
            call.account, call.region, name, arn, call.now, call.now, None, None, None, detail, None
        )
        self.save(secret)
        answer: Answer = {"ARN": arn, "Name": name}
        if value is not None:
            answer["VersionId"] = token or self.ids.uuid()
            self.put(secret, answer["VersionId"], value, [CURRENT], call.now)
        return answer

    def _is_repeated(self, secret: Secret, token: str, value: Value) -> bool:
        row = self.store.one(
            "SELECT text,binary FROM secret_version WHERE arn=? AND id=?", (secret.arn, token)
        )
        return row is not None and Value(row["text"], row["binary"]) == value

    @operation("GetSecretValue")
    def get_secret_value(self, call: Call, request: Request) -> Answer:
        secret = self.secret(call, request["SecretId"])
        return self._value(call, secret, request.get("VersionId"), request.get("VersionStage"))

    def _value(self, call: Call, secret: Secret, version: str | None, stage: str | None) -> Answer:
        stages = self.versions_to_stages(secret)
        if version is None:
            wanted = stage or CURRENT
            version = next((held for held, labels in stages.items() if wanted in labels), None)
            missing = f"staging label: {wanted}"
        else:
            missing = f"VersionId: {version}"
            if stage is not None and stage not in stages.get(version, ()):
                raise InvalidRequestException(
                    "You provided a VersionStage that is not associated to the provided VersionId."
                )
        row = self.store.one("SELECT * FROM secret_version WHERE arn=? AND id=?", (secret.arn, version))
        if row is None:
            raise ResourceNotFoundException(
                f"Secrets Manager can't find the specified secret value for {missing}"
            )
        today = call.now - call.now % DAY
        if secret.accessed != today:  # known to the day, so a read is seldom a write
            self.store.execute("UPDATE secret SET accessed=? WHERE arn=?", (today, secret.arn))
        return {
            "ARN": secret.arn,
            "Name": secret.name,
            "VersionId": row["id"],
            "SecretString": row["text"],
            "SecretBinary": row["binary"],
            "VersionStages": stages.get(row["id"]),
            "CreatedDate": row["created"],
        }

    @operation("BatchGetSecretValue")
    def batch_get_secret_value(self, call: Call, request: Request) -> Answer:
        names, filters = request.get("SecretIdList"), request.get("Filters")
        if bool(names) == bool(filters):
            raise InvalidParameterException(
                "Either 'SecretIdList' or 'Filters' must be provided, but not both."
            )
        token = None
        if not names:
            secrets, token = self.page(call, request, request.get("MaxResults") or 20)
            names = [secret.arn for secret in secrets]
        values: list[Answer] = []
        errors: list[Answer] = []
        for name in names:
            try:
                values.append(self._value(call, self.secret(call, name), None, None))
            except AwsError as error:
                errors.append({"SecretId": name, "ErrorCode": error.code, "Message": error.message})
        return {"SecretValues": values, "Errors": errors, "NextToken": token}

    @operation("PutSecretValue")
    def put_secret_value(self, call: Call, request: Request) -> Answer:
        if request.get("RotationToken"):
            raise NotEmulated("secretsmanager PutSecretValue.RotationToken")
        secret = self.secret(call, request["SecretId"])
        value = Value.of(request)
        if value is None:
            raise InvalidRequestException("You must provide either SecretString or SecretBinary.")
        version = request.get("ClientRequestToken") or self.ids.uuid()
        self.put(secret, version, value, request.get("VersionStages") or [CURRENT], call.now)
        self._touch(call, secret)
        stages = self.versions_to_stages(secret).get(version)
        return {"ARN": secret.arn, "Name": secret.name, "VersionId": version, "VersionStages": stages}

    @operation("UpdateSecret")
    def update_secret(self, call: Call, request: Request) -> Answer:
        if request.get("Type"):
            raise NotEmulated("secretsmanager UpdateSecret.Type")
        secret = self.secret(call, request["SecretId"])
        value = Value.of(request)
        for member in ("Description", "KmsKeyId"):
            if member in request:
                secret.detail[member] = request[member]
        self._touch(call, secret)
        answer: Answer = {"ARN": secret.arn, "Name": secret.name}
        if value is not None:
            answer["VersionId"] = request.get("ClientRequestToken") or self.ids.uuid()
            self.put(secret, answer["VersionId"], value, [CURRENT], call.now)
        return answer

    def _touch(self, call: Call, secret: Secret) -> None:
        secret.changed = call.now
        self.save(secret)

    @operation("DescribeSecret")
    def describe_secret(self, call: Call, request: Request) -> Answer:
        secret = self.secret(call, request["SecretId"], even_deleted=True)
        return self.wire(secret) | {"VersionIdsToStages": self.versions_to_stages(secret) or None}

    # -- deletion ---------------------------------------------------------------------------------------------------

    @operation("DeleteSecret")
    def delete_secret(self, call: Call, request: Request) -> Answer:
        days, at_once = request.get("RecoveryWindowInDays"), bool(request.get("ForceDeleteWithoutRecovery"))
        if days is not None and at_once:
            raise InvalidParameterException(
                "You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."
            )
        if days is not None and not 7 <= days <= 30:
            raise InvalidParameterException(
                "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
            )
        found = self.find(call, request["SecretId"])
        if found is None and at_once:
            # "doesn't return a ResourceNotFoundException", says the model
            arn = call.arn(f"secret:{request['SecretId']}-{self.ids.mixed(6)}")
            return {"ARN": arn, "Name": request["SecretId"], "DeletionDate": call.now}
        secret = self.secret(call, request["SecretId"], even_deleted=at_once)
        if at_once:
            self.remove(secret)
            return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": call.now}
        secret.deleted, secret.purge = call.now, call.now + (days or 30) * DAY
        self.save(secret)
        self.bus.publish("secretsmanager.purge", {"arn": secret.arn, "purge": secret.purge}, due=secret.purge)
        return {"ARN": secret.arn, "Name": secret.name, "DeletionDate": secret.purge}

    @operation("RestoreSecret")
    def restore_secret(self, call: Call, request: Request) -> Answer:
        secret = self.secret(call, request["SecretId"], even_deleted=True)
        secret.deleted = secret.purge = None
        self.save(secret)
        return {"ARN": secret.arn, "Name": secret.name}

    @consumer("secretsmanager.purge")
    def purge(self, job: Job) -> None:
        """The end of the recovery window; nothing where the secret was restored meanwhile."""
        for table in ("secret_version", "secret_stage"):
            self.store.execute(
                f"DELETE FROM {table} WHERE arn IN (SELECT arn FROM secret WHERE arn=? AND purge=?)",
                (job.payload["arn"], job.payload["purge"]),
            )
        self.store.execute(
            "DELETE FROM secret WHERE arn=? AND purge=?", (job.payload["arn"], job.payload["purge"])
        )

    # -- versions ---------------------------------------------------------------------------------------------------

    @operation("ListSecretVersionIds")
    def list_secret_version_ids(self, call: Call, request: Request) -> Answer:
        secret = self.secret(call, request["SecretId"], even_deleted=True)
        stages = self.versions_to_stages(secret)
        versions = [
            {"VersionId": row["id"], "VersionStages": stages.get(row["id"]), "CreatedDate": row["created"]}
            for row in self.versions(secret)
            if request.get("IncludeDeprecated") or row["id"] in stages
        ]
        size, start = request.get("MaxResults") or 100, position(request)
        token = next_token(start + size) if len(versions) > start + size else None
        page = versions[start : start + size]
        return {"Versions": page, "NextToken": token, "ARN": secret.arn, "Name": secret.name}

    @operation("UpdateSecretVersionStage")
    def update_secret_version_stage(self, call: Call, request: Request) -> Answer:
        secret = self.secret(call, request["SecretId"])
        stage, source, target = (
            request["VersionStage"],
            request.get("RemoveFromVersionId"),
            request.get("MoveToVersionId"),
        )
        held = self.stages(secret).get(stage)
        known = {row["id"] for row in self.versions(secret)}
        for version in (source, target):
            if version is not None and version not in known:
                raise ResourceNotFoundException(
                    f"Secrets Manager can't find the specified secret value for VersionId: {version}"
                )
        if target is None and stage == CURRENT:
            raise InvalidParameterException(
                f"You can only move staging label {CURRENT} to a different secret version. It can’t be completely"
                " removed."
            )
        if held is not None and held != target and source is None:
            raise InvalidParameterException(
                f"The parameter RemoveFromVersionId can't be empty. Staging label {stage} is currently attached to"
                f" version {held}, so you must explicitly reference that version in RemoveFromVersionId."
            )
        if source is not None and held != source:
            raise InvalidParameterException(
                f"Staging label {stage} is not currently attached to version {source}."
            )
        if target is not None:
            self.move(secret, stage, target)
        elif held is not None:
            self.unset(secret, stage)
        self._touch(call, secret)
        return {"ARN": secret.arn, "Name": secret.name}

    # -- the rest ---------------------------------------------------------------------------------------------------

    @operation("GetRandomPassword")
    def get_random_password(self, call: Call, request: Request) -> Answer:
        return {"RandomPassword": random_password(self.ids, request)}

    @operation("TagResource")
    def tag_resource(self, call: Call, request: Request) -> Answer:
        secret = self.secret(call, request["SecretId"])
        secret.detail["Tags"] = _merged(secret.tags, request["Tags"])
        self._touch(call, secret)
        return {}

    @operation("UntagResource")
    def untag_resource(self, call: Call, request: Request) -> Answer:
        secret = self.secret(call, request["SecretId"])
        gone = set(request["TagKeys"])
        secret.detail["Tags"] = {key: value for key, value in secret.tags.items() if key not in gone}
        self._touch(call, secret)
        return {}

    @operation("PutResourcePolicy")
    def put_resource_policy(self, call: Call, request: Request) -> Answer:
        secret = self.secret(call, request["SecretId"])
        check_policy(request["ResourcePolicy"])
        if request.get("BlockPublicPolicy"):
            raise NotEmulated("secretsmanager PutResourcePolicy.BlockPublicPolicy")
        secret.policy = request["ResourcePolicy"]
        self.save(secret)
        return {"ARN": secret.arn, "Name": secret.name}

    @operation("GetResourcePolicy")
    def get_resource_policy(self, call: Call, request: Request) -> Answer:
        secret = self.secret(call, request["SecretId"], even_deleted=True)
        return {"ARN": secret.arn, "Name": secret.name, "ResourcePolicy": secret.policy}

    @operation("DeleteResourcePolicy")
    def delete_resource_policy(self, call: Call, request: Request) -> Answer:
        secret = self.secret(call, request["SecretId"])
        secret.policy = None
        self.save(secret)
        return {"ARN": secret.arn, "Name": secret.name}


def check_policy(document: str) -> None:
    try:
        policy = orjson.loads(document)
    except orjson.JSONDecodeError:
        policy = None
    if not isinstance(policy, dict) or not policy.get("Statement"):
        raise MalformedPolicyDocumentException("This resource policy contains invalid Json")


def _merged(tags: Mapping[str, str], added: list[Mapping[str, str]]) -> dict[str, str]:
    if any("Key" not in tag for tag in added):
        raise InvalidParameterException("You must specify a key for each tag.")
    result = dict(tags) | {tag["Key"]: tag.get("Value", "") for tag in added}
    if len(result) > _MOST_TAGS:
        raise LimitExceededException(f"The number of tags can't exceed {_MOST_TAGS}.")
    return result
