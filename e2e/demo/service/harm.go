package main

import (
	"context"
	"log"
	"math"
	"os"
	"time"
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

// burn keeps the asked number of cores busy, in slices of 10 ms.
func burn(ctx context.Context, cores float64) {
	for ; cores > 0; cores-- {
		go burnOne(ctx, min(1, cores))
	}
}

func burnOne(ctx context.Context, share float64) {
	const slice = 10 * time.Millisecond
	busy := time.Duration(share * float64(slice))
	x := 1.0
	for ctx.Err() == nil {
		for start := time.Now(); time.Since(start) < busy; {
			x = math.Sqrt(x + 1)
		}
		time.Sleep(slice - busy)
	}
	_ = x
}
