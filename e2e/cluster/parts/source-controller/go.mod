module causal-rollouts.local/parts/source-controller

go 1.26.0

require github.com/fluxcd/source-controller v1.9.6

replace (
	// Not upstream's: v0.18.3, which v1.9.6 asks for, is not to be had.
	github.com/fluxcd/pkg/artifact => github.com/fluxcd/pkg/artifact v0.18.0
	// What the module's own go.mod replaces, apart from ./api, which is published by the same version.
	github.com/opencontainers/go-digest => github.com/opencontainers/go-digest v1.0.1-0.20220411205349-bde1400a84be
)
