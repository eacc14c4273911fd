"""The TOKEN authorizer: a good access token allows every route, with the user in the context.

API Gateway keeps the answer for five minutes under the token alone, whatever the route; a policy for this one method
would refuse the next request to another. What a role may do is for the functions to decide, from the context.
"""

from typing import Any

from aws_lambda_powertools.utilities.data_classes.api_gateway_authorizer_event import (
    APIGatewayAuthorizerResponse,
    APIGatewayAuthorizerTokenEvent,
)

from src.middleware.instrument import instrument
from src.services import tokens
from src.shared.observability import logger


def authorize(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    request = APIGatewayAuthorizerTokenEvent(event)
    scheme, _, token = (request.authorization_token or "").partition(" ")
    if scheme.lower() != "bearer":
        raise _unauthorized("no bearer token")
    try:
        access = tokens.read_access(token.strip())
    except tokens.BadToken as error:
        raise _unauthorized(str(error)) from None
    arn = request.parsed_arn
    policy = APIGatewayAuthorizerResponse(
        principal_id=access.user_id,
        context={"userId": access.user_id, "role": access.role, "email": access.email},
        region=arn.region,
        aws_account_id=arn.aws_account_id,
        api_id=arn.api_id,
        stage=arn.stage,
        partition=arn.partition,
    )
    policy.allow_all_routes()
    return policy.asdict()


def _unauthorized(reason: str) -> Exception:
    """API Gateway answers 401 to exactly this message, 500 to any other."""
    logger.info("token refused", reason=reason)
    return Exception("Unauthorized")


handler = instrument(authorize)
