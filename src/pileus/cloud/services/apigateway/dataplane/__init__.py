"""The data plane: an HTTP request to a deployed stage, on its way to an integration and back.

plane.py is the ordered list of steps; compiled.py is what a deployment becomes before its first request.
"""
