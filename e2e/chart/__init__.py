"""The chart: what it renders to, the plain manifests made from it, and a server to install it on."""
