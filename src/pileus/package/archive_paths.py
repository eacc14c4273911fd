"""Where a file goes in an archive: under the path that it has from the service, without the way out of it."""


def archive_path(path: str) -> str:
    """`../shared/a.py` → `shared/a.py`; a backslash in a name separates, as it does for whoever unpacks."""
    path = path.replace("\\", "/")
    while path.startswith("../"):
        path = path[3:]
    return path


def is_safe(path: str) -> bool:
    """Whether unpacking it writes under the folder it is unpacked in, and its name is UTF-8."""
    parts = path.split("/")
    if path.startswith("/") or "\0" in path or any(part in ("", ".", "..") for part in parts):
        return False
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
