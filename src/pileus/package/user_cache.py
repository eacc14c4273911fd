"""Where what can be made again is kept between runs: a folder of the user's, not of the service."""

import os
import sys
from pathlib import Path as FilePath


def user_cache(location: str = "") -> FilePath:
    """`location`/pileus, else $PILEUS_CACHE_DIR, else pileus in the user's cache folder of this system."""
    if location:
        return FilePath(location) / "pileus"
    if own := os.environ.get("PILEUS_CACHE_DIR"):
        return FilePath(own)
    home = FilePath.home()
    if sys.platform == "win32":
        root = FilePath(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        root = home / "Library" / "Caches"
    else:
        root = FilePath(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return root / "pileus"
