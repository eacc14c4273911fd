"""`custom.esbuild`: esbuild's own options and those of serverless-esbuild, as arguments and facts.

Every option of esbuild's build API that its command line has, too, is passed on; nothing is passed that is not known.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pileus.service.errors import ConfigError, ConfigErrors, did_you_mean
from pileus.service.model import Service
from pileus.service.scalars import as_text
from pileus.service.tree import Json, Path

#: Options that take a value, or true and false.
_VALUES = frozenset(
    {
        *("assetNames", "bundle", "charset", "chunkNames", "drop", "dropLabels", "entryNames", "format"),
        *("globalName", "ignoreAnnotations", "jsx", "jsxDev", "jsxFactory", "jsxFragment", "jsxImportSource"),
        *("jsxSideEffects", "keepNames", "legalComments", "lineLimit", "logLevel", "logLimit", "mangleProps"),
        *("mangleQuoted", "minify", "minifyIdentifiers", "minifySyntax", "minifyWhitespace", "packages"),
        *("platform", "preserveSymlinks", "publicPath", "reserveProps", "sourceRoot", "sourcemap"),
        *("sourcesContent", "splitting", "target", "treeShaking", "tsconfig", "tsconfigRaw"),
    }
)
#: Lists that are one argument, and lists that are one argument each.
_JOINED = frozenset({"conditions", "mainFields", "resolveExtensions", "target", "dropLabels"})
_REPEATED = frozenset({"drop", "external", "inject", "pure"})
#: Objects: one argument for each key.
_MAPS = frozenset(
    {"alias", "banner", "define", "footer", "loader", "logOverride", "outExtension", "supported"}
)
#: Where the command line has another name than the API.
_RENAMED = {"dropLabels": "drop-labels", "globalName": "global-name", "tsconfigRaw": "tsconfig-raw"}
#: Settings of the plugin that are about how it works, which has no consequence here.
_NEEDLESS = frozenset(
    {
        *("concurrency", "disposeContext", "keepOutputDirectory", "nativeZip", "outputBuildFolder"),
        *("outputWorkFolder", "packager", "skipRebuild", "skipBuildExcludeFns", "watch", "zipConcurrency"),
        *("installExtraArgs", "packagePath", "stripEntryResolveExtensions", "outdir", "entryPoints", "color"),
    }
)
_REFUSED = {
    "config": "it is a program for serverless: write its options here, under custom.esbuild",
    "plugins": "plugins of esbuild are programs, which its command line does not run: do without, or bundle "
    "before packaging and set 'package.artifact'",
}
_LOST = {
    "skipBuild": "everything is built each time",
    "packagerOptions": "packages are taken from node_modules as they are installed; no script is run",
    "metafile": "the metafile is not kept",
    "write": "files are always written",
    "outbase": "files keep their places",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """`arguments` of esbuild beside entry points and output. `exclude`: packages that are neither bundled nor packaged
    (`*` for all). `extension` of the bundled files. `target`, unless it is the function's runtime. `path` is the
    place of the settings in serverless.yml."""

    arguments: tuple[str, ...] = ("--bundle", "--platform=node")
    exclude: tuple[str, ...] = ("aws-sdk",)
    extension: str = ".js"
    target: str = ""
    path: Path = ("custom",)
    warnings: tuple[ConfigError, ...] = ()


def esbuild_settings(service: Service, written: Mapping[str, Json], path: Path) -> Settings:
    """Raises ConfigErrors for options that are unknown, and for those that are programs."""
    options = {"bundle": True, "platform": "node", **written}
    mistakes = [_refused(service, name, path) for name in options if _is_refused(name, options[name])]
    if mistakes:
        raise ConfigErrors(mistakes)
    exclude = _texts(options.pop("exclude", None), default=("aws-sdk",))
    extension = as_text(options.pop("outputFileExtension", None) or ".js")
    target = options.pop("target", None)
    warnings = [
        service.mistake(f"'{name}' has no effect: {_LOST[name]}", (*path, name), key=True)
        for name in list(options)
        if name in _LOST and options.pop(name)
    ]
    arguments = [argument for name, value in options.items() for argument in _arguments(name, value)]
    if options["bundle"]:
        arguments += [f"--external:{name}" for name in exclude if name != "*"]
        arguments += ["--packages=external"] if "*" in exclude else []
    out_extension = options.get("outExtension")
    if extension != ".js":
        arguments.append(f"--out-extension:.js={extension}")
    elif isinstance(out_extension, dict) and out_extension.get(".js"):
        extension = as_text(out_extension[".js"])
    return Settings(
        tuple(arguments),
        exclude,
        extension,
        ",".join(_texts(target, default=())),
        path,
        tuple(warnings),
    )


def _is_refused(name: str, value: Json) -> bool:
    known = _VALUES | _JOINED | _REPEATED | _MAPS | _NEEDLESS | _LOST.keys()
    if name in _REFUSED:
        return bool(value)
    return name not in known and name not in ("exclude", "outputFileExtension")


def _refused(service: Service, name: str, path: Path) -> ConfigError:
    if name in _REFUSED:
        return service.mistake(f"'{name}' cannot be used here", (*path, name), _REFUSED[name], key=True)
    hint = did_you_mean(name, _VALUES | _JOINED | _REPEATED | _MAPS | {"exclude", "outputFileExtension"})
    return service.mistake(f"esbuild has no option '{name}'", (*path, name), hint, key=True)


def _texts(value: Json, *, default: tuple[str, ...]) -> tuple[str, ...]:
    if value is None:
        return default
    return tuple(as_text(item) for item in (value if isinstance(value, list) else [value]))


def _arguments(name: str, value: Json) -> Iterator[str]:
    if name in _NEEDLESS or value is None:
        return
    flag = f"--{_RENAMED.get(name) or _kebab(name)}"
    if isinstance(value, dict):
        yield from (f"{flag}:{key}={as_text(item)}" for key, item in value.items())
    elif name in _REPEATED:
        yield from (f"{flag}:{item}" for item in _texts(value, default=()))
    elif isinstance(value, list):
        yield f"{flag}={','.join(_texts(value, default=()))}"
    elif value is True:
        yield flag
    elif value is False:
        if name not in ("bundle", "sourcemap", "minify", "splitting", "keepNames"):
            yield f"{flag}=false"
    else:
        yield f"{flag}={as_text(value)}"


def _kebab(name: str) -> str:
    return "".join(f"-{sign.lower()}" if sign.isupper() else sign for sign in name)
