"""A function behind API Gateway: Powertools' resolver with this service's CORS, JSON and errors."""

import json
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.logging import correlation_paths

from src.middleware.instrument import Handler, instrument
from src.shared.errors import Problem
from src.shared.observability import logger


def rest_api() -> APIGatewayRestResolver:
    app = APIGatewayRestResolver(cors=CORSConfig(allow_origin="*"))

    @app.exception_handler(Problem)
    def refuse(problem: Problem) -> Response:
        logger.info("request refused", status=problem.status, reason=problem.message, field=problem.field)
        answer = {"message": problem.message}
        if problem.field is not None:
            answer["field"] = problem.field
        return json_response(problem.status, answer)

    return app


def lambda_handler(app: APIGatewayRestResolver) -> Handler:
    def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return app.resolve(event, context)

    return instrument(handler, correlation_id_path=correlation_paths.API_GATEWAY_REST)


def json_response(status: int, body: Any, headers: dict[str, str] | None = None) -> Response:
    return Response(status, "application/json", json.dumps(body, ensure_ascii=False), headers=headers)


def ok(data: Any, **more: Any) -> Response:
    return json_response(200, {"data": data, **more})


def created(data: dict[str, Any], location: str) -> Response:
    return json_response(201, {"data": data}, {"Location": location})


def no_content() -> Response:
    return Response(204)
