"""POST /auth/token: e-mail address and password for an access token. Public."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.request_body import validated_body
from src.middleware.rest_api import lambda_handler, ok, rest_api
from src.services.sign_in import sign_in
from src.services.tokens import ACCESS_SECONDS

app = rest_api()


@app.post("/auth/token")
def create_token() -> Response:
    token = sign_in(**validated_body(app, "create-token"))
    return ok({"accessToken": token, "tokenType": "Bearer", "expiresIn": ACCESS_SECONDS})


handler = lambda_handler(app)
