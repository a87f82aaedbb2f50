//go:build tools

// Package tools pins what this part is built from.
package tools

import _ "github.com/argoproj/argo-cd/v3/cmd"
