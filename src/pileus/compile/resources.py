"""The user's `resources` laid over what was compiled, and `extensions` of compiled resources."""

from pileus.compile.compilation import Compilation
from pileus.service.errors import did_you_mean
from pileus.service.merge import merge
from pileus.service.tree import Json, copy


def merge_resources(c: Compilation, template: dict[str, Json]) -> dict[str, Json]:
    """The template with the user's own parts; `extensions` change compiled resources only."""
    own = dict(c.service.config.get("resources") or {})
    extensions = own.pop("extensions", None) or {}
    own = {name: part for name, part in own.items() if part is not None}
    merged: dict[str, Json] = merge(template, own)
    for logical_id, extension in extensions.items():
        _extend(c, merged, logical_id, extension)
    for resource in merged["Resources"].values():
        if isinstance(resource, dict) and isinstance(resource.get("Properties"), dict):
            _strip_nulls(resource["Properties"])
        elif isinstance(resource, dict) and "Properties" in resource and resource["Properties"] is None:
            del resource["Properties"]
    return merged


def _extend(c: Compilation, template: dict[str, Json], logical_id: str, extension: dict[str, Json]) -> None:
    path = ("resources", "extensions", logical_id)
    resource = template["Resources"].get(logical_id)
    if resource is None:
        hint = did_you_mean(logical_id, template["Resources"])
        c.mistake(f"there is no resource '{logical_id}' to extend", path, hint)
        return
    for name, value in extension.items():
        if name == "Properties":
            resource["Properties"] = {**(resource.get("Properties") or {}), **copy(value)}
        elif name == "DependsOn":
            before = resource.get("DependsOn") or []
            before = before if isinstance(before, list) else [before]
            added = value if isinstance(value, list) else [value]
            resource["DependsOn"] = [*before, *added]
        elif name in ("CreationPolicy", "UpdatePolicy", "Metadata"):
            resource[name] = {**(resource.get(name) or {}), **copy(value)}
        elif name in ("DeletionPolicy", "UpdateReplacePolicy", "Condition"):
            resource[name] = value
        else:
            message = f"'{name}' of a compiled resource cannot be extended"
            c.mistake(message, (*path, name), "Properties, DependsOn, Metadata and the policies can")


def _strip_nulls(value: Json) -> None:
    if isinstance(value, dict):
        for name in [name for name, inner in value.items() if inner is None]:
            del value[name]
        for inner in value.values():
            _strip_nulls(inner)
    elif isinstance(value, list):
        for inner in value:
            _strip_nulls(inner)
