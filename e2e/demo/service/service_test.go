package main

import (
	"context"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func from(env map[string]string) func(string) string {
	return func(name string) string { return env[name] }
}

func behave(t *testing.T, born time.Time, env map[string]string) *behaviour {
	t.Helper()
	s, err := readSettings(from(env))
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBehaviour(s, newWorld("", "n1"), born)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func serving(t *testing.T, env map[string]string) (*httptest.Server, *handler) {
	t.Helper()
	b := behave(t, time.Now(), env)
	h := newHandler(b.settings, b, newMeters(b))
	server := httptest.NewServer(h.mux())
	t.Cleanup(server.Close)
	return server, h
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

func medianMS(b *behaviour, at time.Time) float64 {
	drawn := make([]time.Duration, 20001)
	for i := range drawn {
		drawn[i] = b.latency(at)
	}
	slices.Sort(drawn)
	return drawn[len(drawn)/2].Seconds() * 1000
}

func about(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	// Written this way round, so that NaN fails too.
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %.4f, asked for %.4f", what, got, want)
	}
}

func TestASlowVersionIsSlowerByItsFactorAndOnlyFromItsOnset(t *testing.T) {
	born := time.Now()
	slow := behave(t, born, map[string]string{"LATENCY_FACTOR": "1.6", "ONSET": "60"})
	about(t, "median before onset", medianMS(slow, born.Add(59*time.Second)), 25, .6)
	about(t, "median after onset", medianMS(slow, born.Add(60*time.Second)), 40, .9)
}

func TestATailSlowsItsShareOfRequests(t *testing.T) {
	tail := behave(t, time.Now(), map[string]string{"TAIL_SHARE": "0.1", "TAIL_FACTOR": "20", "SPREAD": "0"})
	slow := 0
	for range 20000 {
		if tail.latency(time.Now()) > 400*time.Millisecond {
			slow++
		}
	}
	about(t, "share in the tail", float64(slow)/20000, .1, .01)
}

func TestAnIncidentSlowsAndFailsEveryVersion(t *testing.T) {
	b := behave(t, time.Now(), map[string]string{"BASE_ERRORS": "0"})
	b.world.now.Store(&surroundings{Slowdown: 1.7, Errors: .02})
	about(t, "median in the incident", medianMS(b, time.Now()), 25*1.7, 1)
	about(t, "errors in the incident", b.errorShare(time.Now()), .02, 1e-9)
}

func TestErrorsOfAVersionComeOnTopOfTheBase(t *testing.T) {
	b := behave(t, time.Now(), map[string]string{"ERROR_SHARE": "0.05", "BASE_ERRORS": "0.005"})
	about(t, "error share", b.errorShare(time.Now()), .055, 1e-9)
}

func TestARequestIsCountedByCodeAndRouteAndTellsWhoAnswered(t *testing.T) {
	server, _ := serving(t, map[string]string{
		"MEDIAN_MS": "1", "ERROR_SHARE": "1", "VERSION": "v4", "ARM": "canary", "POD_NAME": "checkout-canary-0-x",
	})
	response, _ := get(t, server.URL+"/cart")
	if response.StatusCode != 500 {
		t.Errorf("all requests should fail, got %d", response.StatusCode)
	}
	for header, want := range map[string]string{"X-Version": "v4", "X-Arm": "canary", "X-Pod": "checkout-canary-0-x"} {
		if got := response.Header.Get(header); got != want {
			t.Errorf("%s is %q, not %q", header, got, want)
		}
	}
	_, page := get(t, server.URL+"/metrics")
	for _, want := range []string{
		`http_server_requests_total{code="500",route="/cart"} 1`,
		`http_server_request_duration_seconds_count{code="500",route="/cart"} 1`,
		`http_server_request_duration_seconds_bucket{code="500",route="/cart",le="0.5"} 1`,
		`demo_log_latency_offset{cause="wobble"} 0`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

func TestProbesAreNotTraffic(t *testing.T) {
	server, _ := serving(t, nil)
	get(t, server.URL+"/healthz")
	if _, page := get(t, server.URL+"/metrics"); strings.Contains(page, "healthz") {
		t.Error("a probe was counted as a request")
	}
	server, _ = serving(t, map[string]string{"HEALTHZ_METRICS": "true"})
	get(t, server.URL+"/healthz")
	if _, page := get(t, server.URL+"/metrics"); !strings.Contains(page, `total{code="200",route="/healthz"} 1`) {
		t.Error("HEALTHZ_METRICS did not count the probe on its own route")
	}
}

func TestUnknownPathsShareOneLabel(t *testing.T) {
	server, _ := serving(t, map[string]string{"MEDIAN_MS": "1"})
	get(t, server.URL+"/a")
	get(t, server.URL+"/b")
	if _, page := get(t, server.URL+"/metrics"); !strings.Contains(page, `route="other"} 2`) {
		t.Error("unknown paths are not under route=other")
	}
}

func TestAFailingBackendFailsItsCallers(t *testing.T) {
	calls := 0
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls++
		w.WriteHeader(500)
	}))
	defer backend.Close()
	server, _ := serving(t, map[string]string{"MEDIAN_MS": "1", "BACKEND_URL": backend.URL, "BACKEND_CALLS": "3"})
	if response, _ := get(t, server.URL); response.StatusCode != http.StatusBadGateway || calls != 1 {
		t.Errorf("got %d after %d calls", response.StatusCode, calls)
	}
}

func TestCallsBesideAnAnswerAreMadeOneByOneAndCountedButNotWaitedFor(t *testing.T) {
	held := make(chan struct{})
	var calls, now, most atomic.Int64
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		<-held
		now.Add(-1)
		calls.Add(1)
	}))
	defer backend.Close()
	server, _ := serving(t, map[string]string{
		"MEDIAN_MS": "1", "BASE_ERRORS": "0", "BACKEND_URL": backend.URL, "BACKEND_CALLS": "0", "BACKEND_BESIDE": "3",
	})
	for range 10 {
		if response, _ := get(t, server.URL); response.StatusCode != http.StatusOK {
			t.Errorf("an answer that needs no backend is %d", response.StatusCode)
		}
	}
	close(held)
	// One under way and the backlog; what came beyond it was let go.
	page := ""
	for range 500 {
		if _, page = get(t, server.URL+"/metrics"); strings.Contains(page, `downstream_requests_total{code="200"} 17`) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if !strings.Contains(page, `downstream_requests_total{code="200"} 17`) || calls.Load() != 17 || most.Load() != 1 {
		t.Errorf("%d calls made, %d at once", calls.Load(), most.Load())
	}
}

func TestEachCallToTheBackendIsCounted(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server, _ := serving(t, map[string]string{
		"MEDIAN_MS": "1", "BASE_ERRORS": "0", "BACKEND_URL": backend.URL, "BACKEND_CALLS": "3",
	})
	get(t, server.URL)
	backend.Close()
	get(t, server.URL)
	_, page := get(t, server.URL+"/metrics")
	for _, want := range []string{`downstream_requests_total{code="200"} 3`, `downstream_requests_total{code="none"} 1`, "process_cpu_seconds_total"} {
		if !strings.Contains(page, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

func TestRequestsQueueForALimitedNumberOfPlaces(t *testing.T) {
	server, h := serving(t, map[string]string{"MEDIAN_MS": "1", "CONCURRENCY": "1"})
	h.places <- struct{}{}
	answered := make(chan struct{})
	go func() {
		if response, err := http.Get(server.URL); err == nil {
			response.Body.Close()
		}
		close(answered)
	}()
	select {
	case <-answered:
		t.Fatal("answered although the only place was taken")
	case <-time.After(50 * time.Millisecond):
	}
	<-h.places
	<-answered
}

func TestADrainingPodGoesOnServingButAsksForNoMoreOnTheConnection(t *testing.T) {
	server, h := serving(t, map[string]string{"MEDIAN_MS": "1", "BASE_ERRORS": "0"})
	h.draining.Store(true)
	response, _ := get(t, server.URL)
	if response.StatusCode != 200 || !response.Close {
		t.Errorf("code %d, connection closes: %v", response.StatusCode, response.Close)
	}
}

func TestAPodHearsOfAnIncidentAndMistrustsNonsense(t *testing.T) {
	said := `{"slowdown": 1.7, "errors": 0.1}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, said)
	}))
	defer server.Close()
	w := newWorld(server.URL, "n1")
	if seen, err := w.look(context.Background()); err != nil || seen.Slowdown != 1.7 || seen.Errors != .1 {
		t.Errorf("heard %+v, %v", seen, err)
	}
	for _, said = range []string{"", `{"slowdown": 0}`, `{"slowdown": 1e9}`, `{"slowdown": 1, "errors": 2}`} {
		if seen, err := w.look(context.Background()); err == nil || seen != calm {
			t.Errorf("%q was believed: %+v", said, seen)
		}
	}
}

func TestANodeMayBeSlowAlone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, `{"slowdown": 1.5, "errors": 0, "nodes": {"n1": 2}}`)
	}))
	defer server.Close()
	for node, wanted := range map[string]float64{"n1": 3, "n2": 1.5} {
		if seen, err := newWorld(server.URL, node).look(context.Background()); err != nil || seen.Slowdown != wanted {
			t.Errorf("%s heard %+v, %v", node, seen, err)
		}
	}
}

func TestWrongSettingsAreAllNamed(t *testing.T) {
	_, err := readSettings(from(map[string]string{
		"POD_SD": "lots", "ERROR_SHARE": "5", "LATENCY_FACTOR": "NaN", "WORLD_URL": "10.0.0.1", "HEALTHZ_METRICS": "yes",
	}))
	for _, name := range []string{"POD_SD", "ERROR_SHARE", "LATENCY_FACTOR", "WORLD_URL", "HEALTHZ_METRICS"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
}

// The gate reads mean log latency from bucket midpoints; too coarse buckets would bend it.
func TestBucketsReadAQuarterMoreLatencyAsAQuarterMore(t *testing.T) {
	before := behave(t, time.Now(), nil)
	after := behave(t, time.Now(), map[string]string{"LATENCY_FACTOR": "1.25"})
	read := math.Exp(meanLogFromBuckets(after)-meanLogFromBuckets(before)) - 1
	about(t, "+25% as read from the buckets", read, .25, .01)
}

func meanLogFromBuckets(b *behaviour) float64 {
	const n = 200000
	sum := 0.0
	for range n {
		i, _ := slices.BinarySearch(buckets, b.latency(b.born).Seconds())
		low, high := buckets[max(i, 1)-1], 1.5*buckets[len(buckets)-1]
		if i == 0 {
			low = buckets[0] / 2
		}
		if i < len(buckets) {
			high = buckets[i]
		}
		sum += math.Log(low*high) / 2
	}
	return sum / n
}
