"""X-Ray: segments by API and by the daemon's UDP protocol, read back as traces and summaries."""
