//go:build tools

// Package tools pins what this part is built from.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
