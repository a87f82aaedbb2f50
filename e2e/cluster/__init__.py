"""A real cluster on this machine: providers in order KUBECONFIG, Docker (kind), Debian as root.

Standard library and subprocesses only, so that it runs before any virtual environment exists.
"""
