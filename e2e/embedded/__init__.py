"""An API server and its controllers in one process, so that the operator's loop runs without a cluster."""
