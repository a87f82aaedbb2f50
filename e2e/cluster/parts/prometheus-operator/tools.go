//go:build tools

// Package tools pins the kinds of the Prometheus Operator, and what renders their CRDs as its own build does.
package tools

import (
	_ "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	_ "sigs.k8s.io/controller-tools/cmd/controller-gen"
)
