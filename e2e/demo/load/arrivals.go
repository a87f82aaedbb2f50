package main

import (
	"math/rand/v2"
	"sync/atomic"
	"time"
)

// A stalled service is not paid back with a storm: arrivals later than this are dropped and counted.
const tooLate = time.Second

// arrivals is a vegeta.Pacer with exponential gaps. Vegeta's own pacers are
// evenly spaced, which hides the queues that real traffic makes.
type arrivals struct {
	rate    float64
	end     time.Duration
	random  *rand.Rand
	next    time.Duration
	drawn   uint64
	dropped atomic.Uint64
}

func newArrivals(rate float64, end time.Duration, seed uint64) *arrivals {
	return &arrivals{rate: rate, end: end, random: rand.New(rand.NewPCG(seed, 0))}
}

// Pace says how long to wait until the hit after the given number of hits.
func (a *arrivals) Pace(elapsed time.Duration, hits uint64) (time.Duration, bool) {
	if a.drawn == hits {
		a.draw()
		a.drawn++
		for elapsed-a.next > tooLate && a.next <= a.end {
			a.dropped.Add(1)
			a.draw()
		}
	}
	return max(0, a.next-elapsed), a.next > a.end
}

// Rate is the mean number of hits a second.
func (a *arrivals) Rate(time.Duration) float64 { return a.rate }

func (a *arrivals) draw() {
	a.next += time.Duration(a.random.ExpFloat64() / a.rate * float64(time.Second))
}
