"""Who calls, as the authorizer has found out, and what they may do."""

from dataclasses import dataclass

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware

from src.shared.errors import Forbidden, NotFound


@dataclass(frozen=True, slots=True)
class Caller:
    user_id: str
    role: str
    email: str

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"


def caller(app: APIGatewayRestResolver) -> Caller:
    context = app.current_event.request_context.authorizer
    return Caller(context["userId"], context["role"], context["email"])


def admin_only(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response:
    if not caller(app).is_admin:
        raise Forbidden("This needs the role admin")
    return next_middleware(app)


def self_or_admin(app: APIGatewayRestResolver, next_middleware: NextMiddleware) -> Response:
    """For routes of one user. To others the user does not exist: 403 would tell which ids are taken."""
    who = caller(app)
    user_id = app.current_event.path_parameters["id"]
    if not who.is_admin and who.user_id != user_id:
        raise NotFound(f"There is no user {user_id}")
    return next_middleware(app)
