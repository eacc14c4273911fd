"""HTTP APIs as they are served: route, authorise, integrate, answer."""
