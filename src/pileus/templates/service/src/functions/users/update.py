"""PUT /users/{id}: name, e-mail address, role; what is not given stays. For the user and admins; role: admins."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.identity import caller, self_or_admin
from src.middleware.request_body import validated_body
from src.middleware.rest_api import lambda_handler, ok, rest_api
from src.services import users
from src.shared.errors import Forbidden

app = rest_api()


@app.put("/users/<user_id>", middlewares=[self_or_admin])
def update_user(user_id: str) -> Response:
    changes = validated_body(app, "update-user")
    if "role" in changes and not caller(app).is_admin:
        raise Forbidden("Only an admin changes roles", field="role")
    return ok(users.update(user_id, **changes).public())


handler = lambda_handler(app)
