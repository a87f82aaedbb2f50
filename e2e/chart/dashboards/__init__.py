"""Grafana's dashboards, written from a short description: JSON by hand hides what a panel asks."""
