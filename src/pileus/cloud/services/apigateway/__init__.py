"""Amazon API Gateway, REST APIs (v1): the control plane, and the data plane that serves what was deployed."""
