"""Users: one table, in which every address in use is an item of its own, so that no two users ever share one."""

import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import boto3

from src.models.user import Role, User, normalise_email
from src.services import events
from src.shared.errors import Conflict, NotFound
from src.shared.paging import PageRequest, query_all, scan_page
from src.shared.passwords import hash_password
from src.shared.times import epoch, iso, now
from src.shared.transactions import Cancelled, write_together

TABLE_NAME = os.environ["USERS_TABLE"]
UNVERIFIED_FOR = timedelta(days=int(os.environ["UNVERIFIED_DAYS"]))
NEW = "attribute_not_exists(id)"
KNOWN = "attribute_exists(id)"

table = boto3.resource("dynamodb").Table(TABLE_NAME)
client = table.meta.client


def create(*, email: str, name: str, password: str) -> User:
    moment = now()
    user = User(
        id=str(uuid4()),
        email=normalise_email(email),
        name=name,
        role="user",
        verified=False,
        password_hash=hash_password(password),
        verification_id=str(uuid4()),
        created_at=iso(moment),
        updated_at=iso(moment),
        expires_at=epoch(moment + UNVERIFIED_FOR),
    )
    try:
        write_together(client, _put(user.item()), _take(user.email, user.id))
    except Cancelled as cancelled:
        raise _email_taken() from cancelled
    events.publish("UserRegistered", user_id=user.id, verification_id=user.verification_id)
    return user


def find(user_id: str) -> User | None:
    item = table.get_item(Key={"id": user_id}, ConsistentRead=True).get("Item")
    return User.of(item) if item and "email" in item else None  # the other items are addresses


def get(user_id: str) -> User:
    user = find(user_id)
    if user is None:
        raise _unknown(user_id)
    return user


def find_by_email(email: str) -> User | None:
    """Through the index, so that a user may be found only some milliseconds after the sign-up."""
    answer = table.query(
        IndexName="EmailIndex",
        KeyConditionExpression="email = :email",
        ExpressionAttributeValues={":email": normalise_email(email)},
        Limit=1,
    )
    return next(map(User.of, answer["Items"]), None)


def list_page(page: PageRequest) -> tuple[list[User], str | None]:
    items, next_token = scan_page(table, page, FilterExpression="attribute_exists(email)")
    return [User.of(item) for item in items], next_token


def update(user_id: str, *, name: str | None = None, email: str | None = None, role: Role | None = None) -> User:
    given = {"name": name, "role": role}
    changes: dict[str, Any] = {attribute: value for attribute, value in given.items() if value is not None}
    changes["updatedAt"] = iso(now())
    if email is not None:
        user = get(user_id)
        if normalise_email(email) != user.email:
            return _move(user, normalise_email(email), changes)
    return _set(user_id, changes)


def delete(user_id: str) -> None:
    user = get(user_id)
    if not _remove(user, "email = :email", {":email": user.email}):
        raise Conflict("The user has just been changed; try again")


def confirm(user_id: str, verification_id: str, *, role: Role | None = None) -> User | None:
    """Marks the address as confirmed, once or again; None if the user has another one by now or is gone."""
    changes = {"verified": True, "updatedAt": iso(now())} | ({"role": role} if role else {})
    change = _update(user_id, changes, remove="verification, expiresAt")
    return _conditionally(change, "verificationId = :vid", {":vid": verification_id})


def mark_notified(user_id: str, verification_id: str) -> None:
    change = _update(user_id, {"notifiedAt": iso(now())})
    _conditionally(change, "verificationId = :vid", {":vid": verification_id})


def unverified_until(moment: datetime) -> Iterator[User]:
    """Those whose time to confirm their address was over by then."""
    return _unverified("expiresAt < :moment", {":moment": epoch(moment)})


def unnotified_since(before: datetime, *, at: datetime) -> Iterator[User]:
    """Those who signed up before then, have time left at that moment, and got no mail: their event was lost."""
    return _unverified(
        "expiresAt >= :moment",
        {":moment": epoch(at), ":before": iso(before)},
        FilterExpression="attribute_not_exists(notifiedAt) AND createdAt < :before",
    )


def remove_unverified(user: User, moment: datetime) -> bool:
    """False if the user has confirmed the address, or is gone, since they were read."""
    condition = "verification = :pending AND expiresAt < :moment AND email = :email"
    values = {":pending": "pending", ":moment": epoch(moment), ":email": user.email}
    return _remove(user, condition, values)


def announce_again(user: User) -> bool:
    return events.publish("UserRegistered", user_id=user.id, verification_id=user.verification_id)


def _move(user: User, email: str, changes: dict[str, Any]) -> User:
    """Gives the user another address, frees the old one, and asks them to confirm the new one."""
    verification_id = str(uuid4())
    changes = changes | {"email": email, "verified": False, "verificationId": verification_id}
    change = _update(user.id, changes, remove="notifiedAt")
    change["ConditionExpression"] = "email = :old"
    change["ExpressionAttributeValues"][":old"] = user.email
    try:
        write_together(client, {"Update": change}, _free(user.email), _take(email, user.id))
    except Cancelled as cancelled:
        if cancelled.condition_failed(0):
            raise Conflict("The user has just been changed; try again") from cancelled
        raise _email_taken() from cancelled
    # If this event is lost, the user asks for the change again; the cleanup repeats registrations only.
    events.publish("UserEmailChanged", user_id=user.id, verification_id=verification_id)
    return get(user.id)


def _set(user_id: str, changes: dict[str, Any]) -> User:
    user = _conditionally(_update(user_id, changes), KNOWN, {})
    if user is None:
        raise _unknown(user_id)
    return user


def _conditionally(change: dict[str, Any], condition: str, values: dict[str, Any]) -> User | None:
    """The user after the change; None if the condition does not hold."""
    change = change | {"ConditionExpression": condition, "ReturnValues": "ALL_NEW"}
    change["ExpressionAttributeValues"] = change["ExpressionAttributeValues"] | values
    try:
        return User.of(client.update_item(**change)["Attributes"])
    except client.exceptions.ConditionalCheckFailedException:
        return None


def _remove(user: User, condition: str, values: dict[str, Any]) -> bool:
    deletion = {
        "TableName": TABLE_NAME,
        "Key": {"id": user.id},
        "ConditionExpression": condition,
        "ExpressionAttributeValues": values,
    }
    try:
        write_together(client, {"Delete": deletion}, _free(user.email))
    except Cancelled:
        return False
    return True


def _unverified(range_condition: str, values: dict[str, Any], **options: Any) -> Iterator[User]:
    items = query_all(
        table,
        IndexName="UnverifiedIndex",
        KeyConditionExpression=f"verification = :pending AND {range_condition}",
        ExpressionAttributeValues={":pending": "pending"} | values,
        **options,
    )
    return map(User.of, items)


def _update(user_id: str, changes: dict[str, Any], *, remove: str | None = None) -> dict[str, Any]:
    """The parameters of an UpdateItem that sets these attributes; `name` and `role` are reserved words, hence the #."""
    assignments = ", ".join(f"#{name} = :{name}" for name in changes)
    return {
        "TableName": TABLE_NAME,
        "Key": {"id": user_id},
        "UpdateExpression": f"SET {assignments}" + (f" REMOVE {remove}" if remove else ""),
        "ExpressionAttributeNames": {f"#{name}": name for name in changes},
        "ExpressionAttributeValues": {f":{name}": value for name, value in changes.items()},
    }


def _put(item: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": TABLE_NAME, "Item": item, "ConditionExpression": NEW}}


def _take(email: str, user_id: str) -> dict[str, Any]:
    return _put({"id": _address(email), "userId": user_id})


def _free(email: str) -> dict[str, Any]:
    return {"Delete": {"TableName": TABLE_NAME, "Key": {"id": _address(email)}}}


def _address(email: str) -> str:
    return f"email#{email}"


def _email_taken() -> Conflict:
    return Conflict("A user with this e-mail address already exists", field="email")


def _unknown(user_id: str) -> NotFound:
    return NotFound(f"There is no user {user_id}")
