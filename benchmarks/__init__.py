"""Side by side with peers: `python -m benchmarks` (`make bench`). What is measured, and how: docs/benchmarks.md."""
