"""Python dependencies for Lambda's Linux, without Docker: what serverless-python-requirements does, by its settings.

`find_source` chooses the lock, `python_dependencies` gives the files of its wheels for a `LambdaPlatform`, from the
user's cache when nothing has changed; `add_python_dependencies` puts them into a package.
"""

from pileus.package.python.dependencies import Dependencies, Distribution, python_dependencies
from pileus.package.python.lambda_platform import LambdaPlatform
from pileus.package.python.placing import LAYER_KEY, Placed, add_python_dependencies
from pileus.package.python.settings import Settings, read_settings
from pileus.package.python.sources import Kind, Source, find_source

__all__ = [
    "LAYER_KEY",
    "Dependencies",
    "Distribution",
    "Kind",
    "LambdaPlatform",
    "Placed",
    "Settings",
    "Source",
    "add_python_dependencies",
    "find_source",
    "python_dependencies",
    "read_settings",
]
