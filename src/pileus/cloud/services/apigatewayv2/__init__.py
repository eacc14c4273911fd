"""Amazon API Gateway v2: HTTP APIs whole, and the control plane of WebSocket APIs, whose data plane is in `websocket/`."""
