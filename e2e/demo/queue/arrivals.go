package main

import (
	"context"
	"math/rand/v2"
	"time"
)

// A machine that stood still does not pay back with a storm: jobs later than this never come.
const tooLate = time.Second

// bring lets jobs arrive with exponential gaps until the context ends, whoever takes them or not.
func bring(ctx context.Context, q *queue, rate float64, random *rand.Rand) {
	for next := time.Now(); ; {
		next = next.Add(time.Duration(random.ExpFloat64() / rate * float64(time.Second)))
		if time.Since(next) > tooLate {
			next = time.Now()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(next)):
			q.arrive(time.Now())
		}
	}
}

// watch puts back what workers do not acknowledge in time.
func watch(ctx context.Context, q *queue) {
	each := time.NewTicker(250 * time.Millisecond)
	defer each.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-each.C:
			q.expire(now)
		}
	}
}
