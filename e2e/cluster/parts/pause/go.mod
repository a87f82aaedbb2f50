module causal-rollouts.local/parts/pause

go 1.22
