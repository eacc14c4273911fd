"""DELETE /users/{id}. For the user and admins.

An access token that the user still holds is good until it expires, an hour at most.
"""

from aws_lambda_powertools.event_handler import Response

from src.middleware.identity import self_or_admin
from src.middleware.rest_api import lambda_handler, no_content, rest_api
from src.services import users

app = rest_api()


@app.delete("/users/<user_id>", middlewares=[self_or_admin])
def delete_user(user_id: str) -> Response:
    users.delete(user_id)
    return no_content()


handler = lambda_handler(app)
