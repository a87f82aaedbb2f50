//go:build tools

// Package tools pins what this part is built from.
package tools

import _ "github.com/helm-unittest/helm-unittest/cmd/helm-unittest"
