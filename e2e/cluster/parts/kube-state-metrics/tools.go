//go:build tools

// Package tools pins what the local cluster builds from source.
package tools

import (
	_ "k8s.io/kube-state-metrics/v2"
)
