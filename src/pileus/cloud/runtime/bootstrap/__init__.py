"""What runs inside the project's own interpreter: the zygote and the execution environments forked from it.

Standard library only, Python 3.9 or later, and nothing of Pileus: the project's interpreter does not have it. `main.py`
is the script that is started; it loads this folder as the package `_pileus`, so that no module of a project is hidden
by a name here.
"""
