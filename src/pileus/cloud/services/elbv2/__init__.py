"""Elastic Load Balancing v2: application load balancers whose targets are functions."""
