//go:build tools

// Package tools pins what this part is built from.
package tools

import _ "github.com/yannh/kubeconform/cmd/kubeconform"
