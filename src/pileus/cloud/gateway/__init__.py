"""HTTP in: one ASGI callable that finds out what a request is, and answers it. See steps.py for the way it goes."""
