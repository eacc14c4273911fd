"""`${...}` in serverless.yml: `syntax` reads them, `resolver` replaces them, and each source is one file here.

A new source is a new module with a `resolve` function and a line in `SOURCES` of `resolver`.
"""
