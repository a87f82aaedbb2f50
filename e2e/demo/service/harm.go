package main

import (
	"context"
	"log"
	"math"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// startHarm begins what a version does to its pod rather than to a request.
func startHarm(ctx context.Context, s settings) {
	if s.CrashAfter > 0 {
		time.AfterFunc(s.onset()+seconds(s.CrashAfter), func() {
			log.Print("CRASH_AFTER has passed; the service ends")
			os.Exit(1)
		})
	}
	if s.LeakMBPerMin > 0 {
		time.AfterFunc(s.onset(), func() { leak(ctx, s.LeakMBPerMin) })
	}
	if s.BurnCores > 0 {
		time.AfterFunc(s.onset(), func() { burn(ctx, s.BurnCores) })
	}
}

const page = 4096

func leak(ctx context.Context, mbPerMin float64) {
	var kept [][]byte
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			block := make([]byte, int(mbPerMin*(1<<20)/60))
			// Untouched pages would not count as memory in use.
			for i := 0; i < len(block); i += page {
				block[i] = 1
			}
			kept = append(kept, block)
		}
	}
}

// burn keeps the asked number of cores busy, in slices of 10 ms. It has threads of its own at the
// lowest priority, as a careful author would have them: the pod's own requests come first, and who waits
// is whoever shares the node.
func burn(ctx context.Context, cores float64) {
	for ; cores > 0; cores-- {
		go burnOne(ctx, min(1, cores))
	}
}

const lowest = 19

func burnOne(ctx context.Context, share float64) {
	const slice = 10 * time.Millisecond
	const batch = 200 * time.Microsecond
	runtime.LockOSThread()
	if err := unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), lowest); err != nil {
		log.Printf("the burning thread keeps its priority: %v", err)
	}
	busy := time.Duration(share * float64(slice))
	for ctx.Err() == nil {
		for start := time.Now(); time.Since(start) < busy; {
			compute(batch)
			// Timers of requests that began on this processor are looked at only here.
			runtime.Gosched()
		}
		time.Sleep(slice - busy)
	}
}

func compute(wall time.Duration) {
	x := 1.0
	for start := time.Now(); time.Since(start) < wall; {
		x = math.Sqrt(x + 1)
	}
	runtime.KeepAlive(x)
}
