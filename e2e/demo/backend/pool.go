package main

import (
	"context"
	"errors"
	"math"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

var errFull = errors.New("the queue is full")

// pool is a fixed number of workers behind one queue. A worker is taken for as
// long as its job needs the CPU: under a CPU limit, or on a busy machine, that is
// longer, and what queues behind it waits.
type pool struct {
	jobs chan job
}

type job struct {
	cpu  time.Duration
	done chan struct{}
}

func newPool(workers, queue int) *pool {
	p := &pool{jobs: make(chan job, queue)}
	for range workers {
		go p.work()
	}
	return p
}

func (p *pool) work() {
	// The thread's CPU clock is the worker's own only while no other goroutine runs on it.
	runtime.LockOSThread()
	for j := range p.jobs {
		burn(j.cpu)
		close(j.done)
	}
}

// do waits for a worker and for the work. A caller that goes away leaves its job in the queue, as
// real ones do.
func (p *pool) do(ctx context.Context, cpu time.Duration) error {
	j := job{cpu: cpu, done: make(chan struct{})}
	select {
	case p.jobs <- j:
	default:
		return errFull
	}
	select {
	case <-j.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// burn uses so much CPU time of its thread, on a fast machine as on a slow one.
func burn(cpu time.Duration) {
	x := 1.0
	for end := threadCPU() + cpu; threadCPU() < end; {
		for range 1000 {
			x = math.Sqrt(x + 1)
		}
	}
	runtime.KeepAlive(x)
}

// threadCPU is the CPU time that the calling thread has used.
func threadCPU() time.Duration {
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &used); err != nil {
		panic(err)
	}
	return time.Duration(used.Nano())
}
