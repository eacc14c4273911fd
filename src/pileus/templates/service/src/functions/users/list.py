"""GET /users?limit=&nextToken=: all users, a page at a time. For admins."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.identity import admin_only
from src.middleware.rest_api import lambda_handler, ok, rest_api
from src.services import users
from src.shared.paging import PageRequest

app = rest_api()


@app.get("/users", middlewares=[admin_only])
def list_users() -> Response:
    found, next_token = users.list_page(PageRequest.of(app.current_event.query_string_parameters))
    return ok([user.public() for user in found], nextToken=next_token)


handler = lambda_handler(app)
