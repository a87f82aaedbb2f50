package noise

import (
	"fmt"
	"math"
	"sync"
	"time"
)

const (
	// Step is how long a walk keeps its value.
	Step = 5 * time.Second
	// lookBack bounds the recursion, so that a pod born now knows the present
	// value as well as one that has run for a week.
	lookBack = 400
	// MaxMemory keeps what the look-back cuts off below exp(-4).
	MaxMemory = lookBack * Step / 4
)

// Walk is a stationary AR(1) in epoch-aligned steps: x' = phi x + noise.
type Walk struct {
	source Source
	sd     float64
	phi    float64

	lock  sync.Mutex
	index int64
	value float64
	known bool
}

// NewWalk makes a walk of standard deviation sd that forgets by 1/e in memory.
func NewWalk(source Source, sd float64, memory time.Duration) (*Walk, error) {
	if memory <= 0 || memory > MaxMemory {
		return nil, fmt.Errorf("memory of a walk is %s; choose more than 0 and at most %s", memory, MaxMemory)
	}
	phi := math.Exp(-Step.Seconds() / memory.Seconds())
	return &Walk{source: source, sd: sd, phi: phi}, nil
}

// At is the value at an instant.
func (w *Walk) At(t time.Time) float64 {
	index := t.UnixNano() / int64(Step)
	w.lock.Lock()
	defer w.lock.Unlock()
	if !w.known || index != w.index {
		w.index, w.value, w.known = index, w.draw(index), true
	}
	return w.value
}

func (w *Walk) draw(index int64) float64 {
	if w.sd == 0 {
		return 0
	}
	sum, weight, squares := 0.0, 1.0, 0.0
	for k := range int64(lookBack) {
		sum += weight * w.source.Normal(index-k)
		squares += weight * weight
		weight *= w.phi
	}
	// Dividing by the finite sum of squares keeps the variance exact in spite of the cut.
	return w.sd * sum / math.Sqrt(squares)
}
