"""GET /users/{id}. For the user and admins."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.identity import self_or_admin
from src.middleware.rest_api import lambda_handler, ok, rest_api
from src.services import users

app = rest_api()


@app.get("/users/<user_id>", middlewares=[self_or_admin])
def get_user(user_id: str) -> Response:
    return ok(users.get(user_id).public())


handler = lambda_handler(app)
