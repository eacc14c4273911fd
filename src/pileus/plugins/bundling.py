"""Bundlers of Node functions."""
