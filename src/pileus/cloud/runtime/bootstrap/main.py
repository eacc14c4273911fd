"""The script that the server starts with the project's interpreter: `python -I main.py CONTROL_FD`."""

# pathlib would cost each cold start milliseconds
# ruff: noqa: PTH100, PTH118, PTH120

import importlib.util
import os
import sys

if __name__ == "__main__":
    _folder = os.path.dirname(os.path.abspath(__file__))
    _spec = importlib.util.spec_from_file_location(
        "_pileus", os.path.join(_folder, "__init__.py"), submodule_search_locations=[_folder]
    )
    assert _spec is not None
    assert _spec.loader is not None
    _package = importlib.util.module_from_spec(_spec)
    sys.modules["_pileus"] = _package
    _spec.loader.exec_module(_package)
    _zygote = importlib.import_module("_pileus.zygote")
    _zygote.serve(int(sys.argv[1]))
