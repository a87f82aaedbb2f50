package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestARequestBurnsTheCPUTimeItWasGiven(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := threadCPU()
	burn(20 * time.Millisecond)
	// The clock is read between short batches, so a little more is used and never less.
	if used := threadCPU() - before; used < 20*time.Millisecond || used > 25*time.Millisecond {
		t.Errorf("burnt %s of CPU, asked for 20ms", used)
	}
}

func TestAnAnswerMeansThatTheCPUWasBurnt(t *testing.T) {
	p := newPool(2, 8)
	before := allCPU(t)
	for range 5 {
		if err := p.do(context.Background(), 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	if used := allCPU(t) - before; used < 50*time.Millisecond {
		t.Errorf("five requests of 10ms used %s of CPU", used)
	}
}

func allCPU(t *testing.T) time.Duration {
	t.Helper()
	var used unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Nano())
}

func TestWhatFindsNoWorkerWaitsInTheQueueAndIsCounted(t *testing.T) {
	server := httptest.NewServer(handler(order{workers: 1, queue: 8, cpu: 50 * time.Millisecond}))
	defer server.Close()
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			if code, _ := get(t, server.URL); code != http.StatusOK {
				t.Errorf("a request that may wait got %d", code)
			}
		})
	}
	most := 0.0
	for most < 2 {
		_, page := get(t, server.URL+"/metrics")
		if strings.Contains(page, "backend_in_flight 2\n") || strings.Contains(page, "backend_in_flight 3\n") {
			most = 2
		}
		if strings.Contains(page, `backend_requests_total{code="200"} 3`) {
			break
		}
	}
	all.Wait()
	if most < 2 {
		t.Error("one worker, three requests at once, and never two in flight")
	}
	_, page := get(t, server.URL+"/metrics")
	for _, want := range []string{`backend_requests_total{code="200"} 3`, "backend_request_duration_seconds_count 3", "backend_in_flight 0"} {
		if !strings.Contains(page, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

func TestOneWorkerServesInTheOrderOfArrival(t *testing.T) {
	p := newPool(1, 8)
	first := job{cpu: 5 * time.Millisecond, done: make(chan struct{})}
	second := job{cpu: time.Millisecond, done: make(chan struct{})}
	p.jobs <- first
	p.jobs <- second
	<-second.done
	select {
	case <-first.done:
	default:
		t.Error("the second was served before the first was done")
	}
}

func TestAFullQueueRefusesAtOnce(t *testing.T) {
	p := newPool(0, 1)
	p.jobs <- job{}
	if err := p.do(context.Background(), time.Millisecond); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

func TestWrongOrdersAreAllNamed(t *testing.T) {
	_, err := readOrder([]string{"-workers", "0", "-queue", "0", "-cpu", "2s"})
	for _, name := range []string{"-workers", "-queue", "-cpu"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(text)
}
