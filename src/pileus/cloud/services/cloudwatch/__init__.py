"""CloudWatch: metrics, published by API and by log lines in the Embedded Metric Format, and their statistics."""
