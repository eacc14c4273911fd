"""serverless-state.json: the service and what was packaged, as Serverless Framework v3 writes it for `deploy --package`."""

from pileus.compile.template import CompiledTemplates
from pileus.package.build import Built
from pileus.service.model import Service
from pileus.service.tree import Json


def state(service: Service, templates: CompiledTemplates, built: Built) -> dict[str, Json]:
    """The content of serverless-state.json."""
    raise NotImplementedError
