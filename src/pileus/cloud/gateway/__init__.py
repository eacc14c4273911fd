"""HTTP in: connections, and the steps that find out what a request is and answer it. See steps.py for the way it goes."""
