//go:build tools

// Package tools pins the Gateway API module, whose folder holds the CRDs.
package tools

import _ "sigs.k8s.io/gateway-api/apis/v1"
