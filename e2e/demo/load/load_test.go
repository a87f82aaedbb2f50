package main

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestArrivalsArePoissonAtTheAskedRate(t *testing.T) {
	const rate, n = 150, 60000
	a := newArrivals(rate, time.Hour, 7)
	var gaps, squares float64
	last := time.Duration(0)
	for hit := range uint64(n) {
		wait, stop := a.Pace(last, hit)
		if stop {
			t.Fatalf("stopped after %d hits", hit)
		}
		gaps += wait.Seconds()
		squares += wait.Seconds() * wait.Seconds()
		last += wait
	}
	mean := gaps / n
	if math.Abs(mean*rate-1) > .02 {
		t.Errorf("%.1f arrivals a second, asked for %d", 1/mean, rate)
	}
	// Of an exponential the standard deviation equals the mean; of even spacing it is zero.
	if sd := math.Sqrt(max(0, squares/n-mean*mean)); math.Abs(sd/mean-1) > .03 {
		t.Errorf("sd of gaps is %.3f of their mean", sd/mean)
	}
}

func TestAskingTwiceForOneHitDrawsOnce(t *testing.T) {
	a := newArrivals(10, time.Hour, 7)
	first, _ := a.Pace(0, 0)
	again, _ := a.Pace(0, 0)
	if first != again {
		t.Errorf("the next arrival moved from %s to %s", first, again)
	}
}

func TestAStallIsNotPaidBackWithAStorm(t *testing.T) {
	a := newArrivals(100, time.Hour, 7)
	a.Pace(0, 0)
	stalled := 30 * time.Second
	due := 0
	for hit := uint64(1); ; hit++ {
		if wait, _ := a.Pace(stalled, hit); wait > 0 {
			break
		}
		due++
	}
	if due > 150 {
		t.Errorf("%d requests at once after a stall", due)
	}
	if dropped := a.dropped.Load(); dropped < 2500 || dropped > 3300 {
		t.Errorf("%d arrivals dropped of about 2,900", dropped)
	}
}

func TestOnlyThisMachineAndTheClusterMayBeLoaded(t *testing.T) {
	for _, arguments := range [][]string{
		{"-url", "http://127.0.0.1:8000"}, {"-url", "http://[::1]:8000"},
		{"-url", "http://10.97.0.11:8000", "-cluster", "10.97.0.0/16"},
	} {
		if _, err := readOrder(arguments); err != nil {
			t.Errorf("%v: %v", arguments, err)
		}
	}
	for _, arguments := range [][]string{
		{"-url", "http://192.0.2.1"}, {"-url", "http://10.97.0.11:8000"}, {"-url", "http://example.test"},
		{"-url", "http://localhost:8000"}, {"-url", "https://127.0.0.1"}, {"-url", "127.0.0.1:8000"},
		{"-url", "http://192.0.2.1", "-cluster", "192.0.2.0/24"}, {"-cluster", "0.0.0.0/0"},
		{"-rate", "501"}, {"-rate", "0"}, {"-rate", "NaN"}, {"-duration", "5h"}, {"-duration", "0s"}, {"-paths", "cart"},
		{"-workers", "0"}, {"-workers", "601"},
	} {
		if _, err := readOrder(append(arguments, "-host", "checkout.demo.test")); err == nil {
			t.Errorf("%v was accepted", arguments)
		}
	}
}

// counting answers as two arms in turn, every tenth time with a 500.
func counting(t *testing.T) (*httptest.Server, *atomic.Int64) {
	t.Helper()
	var served atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := served.Add(1)
		if r.Host != "checkout.demo.test" {
			w.WriteHeader(404)
			return
		}
		arm := []string{"stable", "canary"}[n%2]
		w.Header().Set("X-Version", map[string]string{"stable": "v1", "canary": "v2"}[arm])
		w.Header().Set("X-Arm", arm)
		w.Header().Set("X-Pod", "checkout-"+arm)
		if n%10 == 0 {
			w.WriteHeader(500)
		}
		io.WriteString(w, "ok")
	}))
	t.Cleanup(server.Close)
	return server, &served
}

func loaded(t *testing.T, stop context.Context, arguments ...string) report {
	t.Helper()
	o, err := readOrder(append([]string{"-host", "checkout.demo.test"}, arguments...))
	if err != nil {
		t.Fatal(err)
	}
	text, err := run(stop, o)
	if err != nil {
		t.Fatal(err)
	}
	var got report
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestEveryAnswerIsCountedByCodeVersionAndArm(t *testing.T) {
	server, served := counting(t)
	progress := filepath.Join(t.TempDir(), "load.json")
	got := loaded(t, context.Background(), "-url", server.URL, "-rate", "400", "-duration", "500ms", "-progress", progress)
	if got.Requests != uint64(served.Load()) || got.Requests == 0 {
		t.Errorf("%d requests reported, %d served", got.Requests, served.Load())
	}
	if got.Codes["200"]+got.Codes["500"] != got.Requests || got.Codes["500"] != got.Versions["v1"].Errors {
		t.Errorf("codes %v, of %d; errors of v1 %d", got.Codes, got.Requests, got.Versions["v1"].Errors)
	}
	if got.Arms["canary"].Requests != (got.Requests+1)/2 || got.Pods["checkout-stable"].Requests != got.Requests/2 {
		t.Errorf("canary %d, stable %d of %d", got.Arms["canary"].Requests, got.Pods["checkout-stable"].Requests, got.Requests)
	}
	if text, err := os.ReadFile(progress); err != nil || !strings.Contains(string(text), `"canary"`) {
		t.Errorf("progress file: %v, %s", err, text)
	}
}

func TestFewWorkersNeverHaveMoreRequestsInFlight(t *testing.T) {
	var now, highest atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		highest.Store(max(highest.Load(), now.Add(1)))
		time.Sleep(20 * time.Millisecond)
		now.Add(-1)
	}))
	defer server.Close()
	loaded(t, context.Background(), "-url", server.URL, "-rate", "400", "-duration", "300ms", "-workers", "3")
	if got := highest.Load(); got < 2 || got > 3 {
		t.Errorf("%d requests in flight, asked for 3 at most", got)
	}
}

func TestFreshRequestsShareNoConnection(t *testing.T) {
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	for _, fresh := range []bool{true, false} {
		connections.Store(0)
		arguments := []string{"-url", server.URL, "-rate", "200", "-duration", "300ms", "-workers", "3"}
		if fresh {
			arguments = append(arguments, "-fresh")
		}
		got := loaded(t, context.Background(), arguments...)
		if each := uint64(connections.Load()) == got.Requests; each != fresh {
			t.Errorf("fresh %v: %d connections for %d requests", fresh, connections.Load(), got.Requests)
		}
	}
}

func TestBeingStoppedStillReports(t *testing.T) {
	server, _ := counting(t)
	stop, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if got := loaded(t, stop, "-url", server.URL, "-rate", "200", "-duration", "1h"); got.Requests == 0 || got.Seconds > 60 {
		t.Errorf("%d requests in %.1f s", got.Requests, got.Seconds)
	}
}

func TestAGatewayThatIsAwayIsReportedNotHidden(t *testing.T) {
	server, _ := counting(t)
	address := server.URL
	server.Close()
	got := loaded(t, context.Background(), "-url", address, "-rate", "100", "-duration", "200ms")
	if got.Requests == 0 || got.Unserved["connection refused"] != got.Requests || len(got.Codes) != 0 {
		t.Errorf("%+v", got)
	}
}
