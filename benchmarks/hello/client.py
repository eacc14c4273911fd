"""A handler that makes a boto3 client when it is imported, as most do; it calls nothing."""

from typing import Any

import boto3

dynamodb = boto3.client("dynamodb")


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    return {"statusCode": 200, "body": dynamodb.meta.service_model.service_name}
