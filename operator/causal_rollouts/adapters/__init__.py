"""Thin edges to Kubernetes, Prometheus and the gateway: one class a port, no decision."""
