"""Node functions bundled with the project's own esbuild: a function's archive holds one file of JavaScript, the packages
that are left outside of it, and what the service's patterns name.
"""

from pileus.package.bundle.bundling import Build, Bundled, builds, bundle, is_bundled
from pileus.package.bundle.settings import Settings, esbuild_settings

__all__ = ["Build", "Bundled", "Settings", "builds", "bundle", "esbuild_settings", "is_bundled"]
