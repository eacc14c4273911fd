"""serverless.yml → Service: read, resolve variables, bring into form, validate. The one public way in.

Each phase finds all of its mistakes before it gives up, and a later phase runs only on what the earlier ones
left whole.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Literal

from pileus.service import document, dotenv, opening
from pileus.service.document import Document
from pileus.service.errors import ConfigError, ConfigErrors
from pileus.service.extensions import Configuration, Extensions, Opened
from pileus.service.marks import Marks
from pileus.service.model import Event, Function, Service
from pileus.service.normalise import Normaliser, with_nulls, without_nulls
from pileus.service.programs import Programs
from pileus.service.schema import Mistake, Validator
from pileus.service.tree import Json, copy, get
from pileus.service.variables.resolver import Resolver
from pileus.service.variables.source import RemoteResolver

ValidationMode = Literal["error", "warn", "off"]


@dataclass(frozen=True, slots=True)
class LoadedService:
    """A service, what is doubtful about it, and every file that it was read from (or would be, once it exists)."""

    service: Service
    warnings: tuple[ConfigError, ...]
    files: frozenset[FilePath]


def load_service(
    directory: FilePath,
    *,
    options: Mapping[str, str],
    params: Mapping[str, str] | None = None,
    environ: Mapping[str, str],
    config_name: str | None = None,
    resolver: RemoteResolver | None = None,
    validation: ValidationMode | None = None,
    extensions: Extensions | None = None,
    now: Callable[[], float] = time.time,
) -> LoadedService:
    """Load the service in `directory`.

    `options` are the command line's (`stage`, `region`, and any other for `${opt:}`), `params` its --param pairs,
    `environ` the environment variables, `resolver` answers for the sources that ask a cloud. `validation`
    overrides the file's `configValidationMode`. `extensions` is what plugins add. Raises ConfigErrors with everything that is wrong.
    """
    directory = directory.resolve()
    programs = Programs(directory, environ, options)
    try:
        return _load(
            directory,
            options,
            params or {},
            environ,
            config_name,
            resolver,
            validation,
            extensions,
            now,
            programs,
        )
    except ConfigError as error:
        raise ConfigErrors([error]) from error
    finally:
        programs.close()


def _load(
    directory: FilePath,
    options: Mapping[str, str],
    params: Mapping[str, str],
    environ: Mapping[str, str],
    config_name: str | None,
    resolver: RemoteResolver | None,
    validation: ValidationMode | None,
    extensions: Extensions | None,
    now: Callable[[], float],
    programs: Programs,
) -> LoadedService:
    file = opening.find(directory, config_name)
    files = {file}
    main = opening.read(file, programs)
    config = _as_object(main)
    instance = str(int(now() * 1000))

    def variables_of(read: Document, seen: Mapping[str, str]) -> Resolver:
        return Resolver(
            read,
            directory=directory,
            options=options,
            params=params,
            environ=seen,
            remote=resolver,
            programs=programs,
            instance=instance,
        )

    environ = dict(_environment(main, options, environ, files, lambda read: variables_of(read, environ)))
    programs.use(environ)
    variables = variables_of(main, environ)
    if extensions is not None:
        plugins = variables.value_at("plugins")
        environ.update(extensions.open(Opened(directory, plugins, config, main.marks, options, environ)))
        variables.extend(extensions.sources(), extensions.unknown())
    variables.resolve()
    files |= variables.files
    if variables.errors:
        raise ConfigErrors(variables.errors)
    form = Normaliser(config, main.marks)
    form.run()
    if form.errors:
        raise ConfigErrors(form.errors)
    provider = config["provider"]
    stage = options.get("stage") or _text(provider.get("stage")) or "dev"
    form.name_functions(config["service"], stage)
    mistakes, lost = _validate(config, main, extensions)
    mode = validation or _mode(config)
    if mistakes and mode == "error" and provider["name"] == "aws":
        raise ConfigErrors(mistakes)
    warnings = (*form.warnings, *(() if mode == "off" else mistakes), *lost)
    region = variables.scope.region()
    if extensions is not None:
        whole = Configuration(
            directory, config["service"], stage, region, config, main.marks, options, environ
        )
        extensions.configure(whole)
        warnings = (*warnings, *whole.warnings)
        files.update(extensions.files())
    service = Service(
        directory=directory,
        file=file,
        name=config["service"],
        stage=stage,
        region=region,
        config=config,
        marks=main.marks,
        functions=_functions(config),
        options=dict(options),
        mistakes=(*mistakes, *lost),
        instance=instance,
        extensions=extensions,
    )
    return LoadedService(service, warnings, frozenset(files))


def _as_object(main: Document) -> dict[str, Json]:
    if not isinstance(main.value, dict):
        what = "is empty" if main.value is None else "must hold an object"
        raise ConfigError(
            f"{main.file.name} {what}", mark=main.marks.mark, hint="begin with 'service: my-service'"
        )
    return main.value


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) and value else None


def _environment(
    main: Document,
    options: Mapping[str, str],
    environ: Mapping[str, str],
    files: set[FilePath],
    early: Callable[[Document], Resolver],
) -> Mapping[str, str]:
    """`environ` with the pairs of the .env file under it, when `useDotenv` asks for that."""
    config = main.value
    wanted, written = config.get("useDotenv"), get(config, "provider", "stage")
    if not wanted:
        return environ
    if any(isinstance(value, str) and "${" in value for value in (wanted, written, config.get("provider"))):
        # What these two say is needed before anything else is known, .env files included.
        first = early(Document(main.file, copy(config), Marks(main.marks.mark)))
        wanted, written = first.value_at("useDotenv"), first.value_at("provider", "stage")
        files |= first.files
    if not wanted or wanted == "false":
        return environ
    file = dotenv.file_for(main.file.parent, options.get("stage") or _text(written) or "dev")
    files.add(file)
    if not file.is_file():
        return environ
    pairs = dotenv.parse(document.read_text(file))
    return {**dotenv.expand(pairs, environ), **environ}


def _functions(config: dict[str, Json]) -> dict[str, Function]:
    functions: dict[str, Function] = {}
    for key, settings in (config.get("functions") or {}).items():
        written = settings["events"] if isinstance(settings["events"], list) else []
        events = [
            Event(kind, value, key, position)
            for position, event in enumerate(written, start=1)
            if isinstance(event, dict)
            for kind, value in event.items()
            if value is not None  # as v3 has it: no settings, no event; the schema has told of it
        ]
        functions[key] = Function(key, str(settings["name"]), settings, tuple(events))
    return functions


def _mode(config: dict[str, Json]) -> ValidationMode:
    written = config.get("configValidationMode")
    return written if written in ("error", "off") else "warn"


def _validate(
    config: dict[str, Json], main: Document, extensions: Extensions | None
) -> tuple[tuple[ConfigError, ...], tuple[ConfigError, ...]]:
    """Coerce the configuration in place, whatever the mode; return what does not fit the schema, and what does not
    because the plugin that knows it may be missing."""
    provider = config["provider"]["name"]
    if provider != "aws":
        mark = main.marks.find(("provider", "name"))
        message = f"the provider '{provider}' is unknown, so nothing of it is checked or compiled"
        hint = "Pileus knows the provider aws"
        return (ConfigError(message, path=("provider", "name"), mark=mark, hint=hint),), ()
    nulls = without_nulls(config)
    mistakes = Validator(() if extensions is None else extensions.schema()).check(config)
    with_nulls(nulls)
    absent = () if extensions is None else extensions.unknown()
    lost = [mistake for mistake in mistakes if absent and mistake.kind == "unknown"]
    theirs = " or ".join(absent)
    return (
        tuple(_mistake(main, mistake) for mistake in mistakes if mistake not in lost),
        tuple(_mistake(main, replace(mistake, hint=_theirs(mistake, theirs))) for mistake in lost),
    )


def _theirs(mistake: Mistake, plugins: str) -> str:
    own = f"{mistake.hint.rstrip('?')}? Or it" if mistake.hint else "it"
    return f"{own} may be a property of {plugins}, which Pileus does not have: then it is lost here"


def _mistake(main: Document, mistake: Mistake) -> ConfigError:
    mark = main.marks.find(mistake.path, key=mistake.key)
    return ConfigError(mistake.message, path=mistake.path, mark=mark, hint=mistake.hint)
