"""GET /media/uploads/{id}: how far it is, and the thumbnail once there is one. For the user who uploads."""

from aws_lambda_powertools.event_handler import Response

from src.middleware.identity import caller
from src.middleware.rest_api import lambda_handler, ok, rest_api
from src.services import uploads

app = rest_api()


@app.get("/media/uploads/<upload_id>")
def get_upload(upload_id: str) -> Response:
    upload = uploads.get(caller(app).user_id, upload_id)
    shown = upload.public()
    if upload.status == "processed":
        shown["thumbnailUrl"] = uploads.thumbnail_url(upload)
    return ok(shown)


handler = lambda_handler(app)
