"""Service + artifacts → the two templates of a deployment. The steps and their order, to be read top to bottom.

The order of steps is the order of resources in the template, and of statements in the shared role.
"""

from dataclasses import dataclass

from pileus.compile import events
from pileus.compile.artifacts import Artifacts
from pileus.compile.bucket import compile_bucket
from pileus.compile.compilation import Compilation, deployment_bucket_name
from pileus.compile.events.http_api_authorizers import check_settings
from pileus.compile.functions import compile_functions
from pileus.compile.iam import compile_role
from pileus.compile.layers import compile_layers
from pileus.compile.log_groups import compile_log_groups
from pileus.compile.resources import merge_resources
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.model import Service
from pileus.service.tree import Json, copy


@dataclass(frozen=True, slots=True)
class CompiledTemplates:
    """`create_stack` makes only the bucket (None with a bucket of the user's); `update_stack` is the service."""

    create_stack: dict[str, Json] | None
    update_stack: dict[str, Json]


def compile_service(service: Service, artifacts: Artifacts) -> CompiledTemplates:
    """Compile to CloudFormation. Raises ConfigErrors with every mistake found."""
    if service.provider.get("name") != "aws":  # the loader warned about it
        return CompiledTemplates(None, _template({}, {}))
    c = Compilation(service, artifacts)
    try:
        return _compile(c)
    except ConfigError as error:
        raise ConfigErrors([*c.errors, error]) from error
    except (TypeError, KeyError, AttributeError, IndexError, ValueError) as error:
        # In modes `warn` and `off` anything may stand anywhere. What the schema found is then the cause, and is named.
        if c.errors or service.mistakes:
            raise ConfigErrors([*c.errors, *service.mistakes]) from error
        raise


def _compile(c: Compilation) -> CompiledTemplates:
    compile_bucket(c)
    create = None
    if deployment_bucket_name(c.service) is None:
        create = copy(_template(c.resources, c.outputs))
    for name, output in c.outputs.items():
        output["Export"] = {"Name": f"sls-{c.service.name}-{c.service.stage}-{name}"}
    compile_log_groups(c)
    compile_role(c)
    compile_layers(c)
    compile_functions(c)
    check_settings(c)
    for kind in events.used_in_order(c.service):
        events.compile_kind(c, kind)
    if c.errors:
        raise ConfigErrors(c.errors)
    if c.service.extensions is not None:
        c.service.extensions.compiled(c)
    template = merge_resources(c, _template(c.resources, c.outputs))
    if c.errors:
        raise ConfigErrors(c.errors)
    if c.service.extensions is not None:
        c.service.extensions.finished(c.service, template)
    return CompiledTemplates(create, template)


def _template(resources: dict[str, Json], outputs: dict[str, Json]) -> dict[str, Json]:
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The AWS CloudFormation template for this Serverless application",
        "Resources": resources,
        "Outputs": outputs,
    }
