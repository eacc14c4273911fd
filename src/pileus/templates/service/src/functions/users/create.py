"""POST /users: signs a user up. Public."""

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.metrics import MetricUnit

from src.middleware.request_body import validated_body
from src.middleware.rest_api import created, lambda_handler, rest_api
from src.services import users
from src.shared.observability import metrics

app = rest_api()


@app.post("/users")
def create_user() -> Response:
    user = users.create(**validated_body(app, "create-user"))
    metrics.add_metric("UsersRegistered", MetricUnit.Count, 1)
    return created(user.public(), f"/users/{user.id}")


handler = lambda_handler(app)
