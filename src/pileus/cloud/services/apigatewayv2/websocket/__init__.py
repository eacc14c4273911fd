"""WebSocket APIs as they are served: connections, routes, integrations, and the API that sends to clients."""
