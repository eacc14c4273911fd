"""POST /media/uploads: a URL to PUT a JPEG image to, straight to the bucket. For every user."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.identity import caller
from src.middleware.request_body import validated_body
from src.middleware.rest_api import created, lambda_handler, rest_api
from src.services import uploads

app = rest_api()


@app.post("/media/uploads")
def create_upload() -> Response:
    body = validated_body(app, "create-upload")
    upload, url = uploads.create(caller(app).user_id, size=body["size"], content_type=body["contentType"])
    put = {"url": url, "method": "PUT", "headers": {"Content-Type": body["contentType"]}}
    put["expiresIn"] = uploads.URL_SECONDS
    return created(upload.public() | {"key": upload.key, "upload": put}, f"/media/uploads/{upload.id}")


handler = lambda_handler(app)
