"""Pileus: the Python toolkit for serverless services on AWS."""

__version__ = "0.1.0"
