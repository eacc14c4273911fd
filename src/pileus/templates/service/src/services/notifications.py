"""Mails to users. Each event is answered with one mail, however often the queue delivers it."""

import os

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

from src.models.user import User
from src.services import tokens, users
from src.shared.observability import logger
from src.shared.times import DAY

FROM_EMAIL = os.environ["FROM_EMAIL"]
PUBLIC_URL = os.environ["PUBLIC_URL"]
SERVICE = os.environ["POWERTOOLS_SERVICE_NAME"]

ses = boto3.client("ses")
# Longer than the queue keeps a message.
idempotency = IdempotencyConfig(expires_after_seconds=7 * DAY)
store = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"])


def ask_to_confirm(user_id: str, verification_id: str) -> None:
    """Marking the user comes after the sending, each time: if it failed, the next delivery makes up for it."""
    user = users.find(user_id)
    if user is None or user.verification_id != verification_id:
        logger.info("event is out of date", user_id=user_id)
        return
    send_confirmation(verification_id=verification_id, user=user)
    users.mark_notified(user_id, verification_id)


@idempotent_function(data_keyword_argument="verification_id", persistence_store=store, config=idempotency)
def send_confirmation(*, verification_id: str, user: User) -> None:
    """Twice only if the function dies after SES took the mail and before that was written down."""
    link = f"{PUBLIC_URL}/auth/verify?token={tokens.issue_verification(user)}"
    text = f"Hello {user.name},\n\nplease confirm your e-mail address within a week:\n\n{link}\n"
    ses.send_email(
        Source=FROM_EMAIL,
        Destination={"ToAddresses": [user.email]},
        Message={
            "Subject": {"Data": f"Welcome to {SERVICE}: please confirm your address", "Charset": "UTF-8"},
            "Body": {"Text": {"Data": text, "Charset": "UTF-8"}},
        },
    )
    logger.info("mail sent", user_id=user.id)
