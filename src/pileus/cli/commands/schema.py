"""`pileus schema`: what editors check a serverless.yml against."""

from __future__ import annotations

import click

from ..ui import Ui


@click.command(name="schema", short_help="Print the JSON Schema of serverless.yml, for editors.")
def command() -> None:
    """Print the JSON Schema of serverless.yml: completion and checks while you type.

    \b
    pileus schema > serverless.schema.json
    # then, as the first line of serverless.yml, for editors with the YAML language server:
    # yaml-language-server: $schema=serverless.schema.json
    """
    import json

    from ...plugins.registry import built_in_schemas
    from ...service.schema.published import published_schema

    Ui.stdout().line(json.dumps(published_schema(built_in_schemas()), indent=2, ensure_ascii=False))
