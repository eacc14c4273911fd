"""uv.lock: uv itself exports it, as a pylock.toml for every platform."""

from pathlib import Path as FilePath

from pileus.package.python.settings import Settings
from pileus.package.python.sources import Source
from pileus.package.python.tools import failure, find_uv, run
from pileus.service.errors import ConfigError, ConfigErrors


def export(source: Source, settings: Settings, work: FilePath) -> FilePath:
    """The lock as `work`/pylock.toml: neither the project itself, whose files are packaged as they are, nor any
    dependency group. Raises ConfigErrors."""
    uv = find_uv()
    if uv is None:
        raise ConfigErrors(
            [ConfigError("uv.lock can only be read by uv, which is not there", mark=source.mark,
                         hint="pip install uv")]
        )  # fmt: skip
    out = work / "pylock.toml"
    arguments = ["export", "--frozen", "--no-default-groups", "--no-emit-project", "--no-editable",
                 "--format", "pylock.toml", "--output-file", str(out), "--quiet"]  # fmt: skip
    for name in settings.no_deploy:
        arguments += ["--no-emit-package", name]
    result = run([uv, *arguments], source.folder)
    if result.returncode:
        raise ConfigErrors([ConfigError(f"uv cannot export uv.lock:\n{failure(result)}", mark=source.mark)])
    return out
