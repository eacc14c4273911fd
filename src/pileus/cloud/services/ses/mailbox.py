"""The mailbox that both versions of the API share: identities, the rules of sending, and the outbox."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterable, Mapping, Sequence
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses, parseaddr
from typing import Any

import orjson

from ...kernel import Call, Row, Service
from .errors import InvalidParameterValue, MessageRejected
from .schema import MIGRATIONS

MAX_RECIPIENTS = 50
MAX_RAW_BYTES = 40 * 1024 * 1024
MAX_RAW_BYTES_V1 = 10 * 1024 * 1024


class Mailbox(Service):
    """Base of both versions, which share their tables."""

    state = "ses"
    migrations = MIGRATIONS

    # -- identities -------------------------------------------------------------------------------------------------

    def add_identity(self, call: Call, identity: str) -> None:
        """Identities are verified at once here: there is no mailbox in which to confirm a link."""
        self.store.execute(
            "INSERT OR IGNORE INTO ses_identity (account,region,identity,created) VALUES (?,?,?,?)",
            (call.account, call.region, identity.lower(), call.now),
        )

    def remove_identity(self, call: Call, identity: str) -> bool:
        return (
            self.store.execute(
                "DELETE FROM ses_identity WHERE account=? AND region=? AND identity=?",
                (call.account, call.region, identity.lower()),
            ).rowcount
            > 0
        )

    def find_identity(self, call: Call, identity: str) -> Row | None:
        return self.store.one(
            "SELECT * FROM ses_identity WHERE account=? AND region=? AND identity=?",
            (call.account, call.region, identity.lower()),
        )

    def identities(self, call: Call, after: str, limit: int) -> list[str]:
        rows = self.store.all(
            "SELECT identity FROM ses_identity WHERE account=? AND region=? AND identity>? ORDER BY identity LIMIT ?",
            (call.account, call.region, after, limit),
        )
        return [row["identity"] for row in rows]

    # -- sending ----------------------------------------------------------------------------------------------------

    def check_sender(self, call: Call, source: str) -> None:
        """Refuses a sender of which neither the address nor the domain is a verified identity."""
        address = parseaddr(source)[1].lower()
        if not address or address.count("@") != 1:
            raise InvalidParameterValue(f"Invalid email address {source}")
        domain = address.partition("@")[2]
        parents = [domain]
        while "." in parents[-1].partition(".")[2]:
            parents.append(parents[-1].partition(".")[2])
        if not any(self.find_identity(call, name) for name in (address, *parents)):
            raise MessageRejected(
                "Email address is not verified. The following identities failed the check in region "
                f"{call.region.upper()}: {parseaddr(source)[1]}"
            )

    def send(self, call: Call, source: str, recipients: Sequence[str], message: bytes) -> str:
        """Puts a message into the outbox. Returns its message id."""
        if not recipients:
            raise InvalidParameterValue("Missing final '@domain'")
        if len(recipients) > MAX_RECIPIENTS:
            raise InvalidParameterValue(f"Recipient count exceeds {MAX_RECIPIENTS}.")
        for recipient in recipients:
            _check_address(recipient)
        message_id = f"{call.ids.hex(16).zfill(16)}-{call.ids.uuid()}-000000"
        self.store.execute(
            "INSERT INTO ses_message (message_id,account,region,sent,source,recipients,raw) VALUES (?,?,?,?,?,?,?)",
            (
                message_id,
                call.account,
                call.region,
                call.now,
                source,
                orjson.dumps(list(recipients)),
                message,
            ),
        )
        return message_id

    def compose(
        self,
        call: Call,
        source: str,
        destination: Mapping[str, Sequence[str]],
        content: Mapping[str, Any],
        reply_to: Iterable[str] = (),
        headers: Iterable[Mapping[str, str]] = (),
    ) -> bytes:
        """MIME of a message given by its parts (`Message` of version 1, `Content.Simple` of version 2)."""
        message = EmailMessage(policy=email.policy.SMTP)
        message["From"] = _header(source)
        for name, key in (("To", "ToAddresses"), ("Cc", "CcAddresses")):
            if destination.get(key):
                message[name] = ", ".join(_header(address) for address in destination[key])
        if reply_to:
            message["Reply-To"] = ", ".join(_header(address) for address in reply_to)
        message["Subject"] = _header(content["Subject"]["Data"])
        message["Date"] = format_datetime(self.cloud.clock.datetime())
        for header in headers:
            message[header["Name"]] = _header(header["Value"])
        body = content["Body"]
        text, html = body.get("Text"), body.get("Html")
        if text is not None:
            message.set_content(text["Data"], charset=text.get("Charset", "utf-8"))
        if html is not None:
            if text is not None:
                message.add_alternative(html["Data"], subtype="html", charset=html.get("Charset", "utf-8"))
            else:
                message.set_content(html["Data"], subtype="html", charset=html.get("Charset", "utf-8"))
        return message.as_bytes()

    def sent_last_day(self, call: Call) -> int:
        row = self.store.one(
            "SELECT count(*) FROM ses_message WHERE account=? AND region=? AND sent>?",
            (call.account, call.region, call.now - 86_400),
        )
        return int(row[0]) if row else 0

    def outbox(self) -> list[dict[str, Any]]:
        """Every message, oldest first: message_id, sent (epoch seconds), from, to, subject, body (its text, or its
        HTML where there is no text), raw (MIME)."""
        return [_outbox_entry(row) for row in self.store.all("SELECT * FROM ses_message ORDER BY id")]


def recipients_of(destination: Mapping[str, Sequence[str]]) -> list[str]:
    return [a for key in ("ToAddresses", "CcAddresses", "BccAddresses") for a in destination.get(key) or ()]


def recipients_in(raw: bytes) -> list[str]:
    """The recipients that a raw message names in its own headers."""
    message = email.message_from_bytes(raw)
    found = [v for name in ("To", "Cc", "Bcc") for v in message.get_all(name, [])]
    return [address for _, address in getaddresses(found)]


def sender_in(raw: bytes) -> str:
    return str(email.message_from_bytes(raw).get("From", ""))


def _outbox_entry(row: Row) -> dict[str, Any]:
    message = email.message_from_bytes(row["raw"], policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    body = message.get_body(("plain", "html"))
    return {
        "message_id": row["message_id"],
        "sent": row["sent"],
        "from": row["source"],
        "to": orjson.loads(row["recipients"]),
        "subject": str(message.get("Subject", "")),
        "body": body.get_content().replace("\r\n", "\n") if body is not None else "",
        "raw": row["raw"].decode("utf-8", "replace"),
    }


def _header(text: str) -> str:
    if "\r" in text or "\n" in text:
        raise InvalidParameterValue("Header values must not contain line breaks.")
    return text


def _check_address(text: str) -> None:
    address = parseaddr(text)[1]
    local, found, domain = address.rpartition("@")
    if not found or not local:
        raise InvalidParameterValue("Missing final '@domain'")
    if not domain or domain.startswith(".") or " " in domain:
        raise InvalidParameterValue("Domain contains illegal character")
    try:
        Address(addr_spec=address)
    except ValueError:
        raise InvalidParameterValue(f"Invalid email address {text}") from None
