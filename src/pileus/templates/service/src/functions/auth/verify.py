"""GET /auth/verify?token=: the link in the mail that confirms an address. Public; a second click does no harm."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.rest_api import lambda_handler, ok, rest_api
from src.services.sign_in import confirm_email

app = rest_api()


@app.get("/auth/verify")
def verify_email() -> Response:
    user = confirm_email(app.current_event.query_string_parameters.get("token", ""))
    return ok({"id": user.id, "verified": user.verified})


handler = lambda_handler(app)
