"""The folder with a serverless.yml, as one command sees it: load, compile, package. Every command goes through here, so
that what `package` writes, `print` shows, `offline` runs and `deploy` sends is the same."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..compile import Artifacts, CompiledTemplates, compile_service
from ..service import LoadedService, RemoteResolver, Service, load_service

if TYPE_CHECKING:
    from ..service.loader import ValidationMode


class Project:
    """A service's folder with the options of a command.

    options, params: as on the command line. environ: what ${env:} sees; this process's by default. config_name: of the
    configuration, when it is not found by itself. resolver: answers for variables that ask a cloud.
    All methods raise ConfigErrors for what is wrong with the service.
    """

    def __init__(
        self,
        folder: Path,
        *,
        options: Mapping[str, str],
        params: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        config_name: str | None = None,
        resolver: RemoteResolver | None = None,
    ) -> None:
        self.folder = folder
        self.options = options
        self.params = params or {}
        self.environ = os.environ if environ is None else environ
        self.config_name = config_name
        self.resolver = resolver

    def load(self, validation: ValidationMode | None = None) -> LoadedService:
        """Reads and checks the service. validation: instead of what its `configValidationMode` says."""
        return load_service(
            self.folder,
            options=self.options,
            params=self.params,
            environ=self.environ,
            config_name=self.config_name,
            resolver=self.resolver,
            validation=validation,
        )

    def compile(self, service: Service, artifacts: Artifacts) -> CompiledTemplates:
        """The templates of the service with these packages of its code."""
        return compile_service(service, artifacts)
