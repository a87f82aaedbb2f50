//go:build tools

// Package tools pins what the local cluster builds from source.
package tools

import (
	_ "github.com/coredns/coredns"
)
