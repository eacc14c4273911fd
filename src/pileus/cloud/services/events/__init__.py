"""EventBridge: buses, rules that match events or fire by the clock, and durable delivery to their targets."""
