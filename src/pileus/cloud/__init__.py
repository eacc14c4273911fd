"""The embedded cloud: one Python process that speaks AWS's wire protocols."""
