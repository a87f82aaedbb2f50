package main

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// group is what the requests answered by one version, arm or pod had in common.
type group struct {
	Requests       uint64  `json:"requests"`
	Errors         uint64  `json:"errors"`
	SumLogSeconds  float64 `json:"sum_log_seconds"`
	MeanLogSeconds float64 `json:"mean_log_seconds"`
}

func (g *group) add(latency time.Duration, failed bool) {
	g.Requests++
	if failed {
		g.Errors++
	}
	g.SumLogSeconds += math.Log(latency.Seconds())
	g.MeanLogSeconds = g.SumLogSeconds / float64(g.Requests)
}

// report is the JSON that people and tests read.
type report struct {
	Started  time.Time         `json:"started"`
	Seconds  float64           `json:"seconds"`
	Rate     float64           `json:"rate"`
	Requests uint64            `json:"requests"`
	Dropped  uint64            `json:"dropped"`
	Codes    map[string]uint64 `json:"codes"`
	Unserved map[string]uint64 `json:"unserved"`
	Versions map[string]*group `json:"versions"`
	Arms     map[string]*group `json:"arms"`
	Pods     map[string]*group `json:"pods"`
}

// tally counts answers by code and by who gave them.
type tally struct {
	lock sync.Mutex
	sums report
	late func() uint64
}

func newTally(rate float64, late func() uint64) *tally {
	return &tally{late: late, sums: report{
		Started: time.Now(), Rate: rate,
		Codes: map[string]uint64{}, Unserved: map[string]uint64{},
		Versions: map[string]*group{}, Arms: map[string]*group{}, Pods: map[string]*group{},
	}}
}

func (t *tally) add(result *vegeta.Result) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.sums.Requests++
	if result.Code == 0 {
		t.sums.Unserved[reason(result.Error)]++
		return
	}
	t.sums.Codes[strconv.Itoa(int(result.Code))]++
	// The gateway's own answers bear no name of a pod and belong to no arm.
	for header, groups := range map[string]map[string]*group{
		"X-Version": t.sums.Versions, "X-Arm": t.sums.Arms, "X-Pod": t.sums.Pods,
	} {
		name := result.Headers.Get(header)
		if name == "" {
			name = "gateway"
		}
		if groups[name] == nil {
			groups[name] = &group{}
		}
		groups[name].add(result.Latency, result.Code >= 500)
	}
}

// reason keeps the kind of a failure and drops its ports, which would make each one a kind of its own.
func reason(text string) string {
	for _, kind := range []string{"connection refused", "connection reset", "Timeout exceeded", "EOF"} {
		if strings.Contains(text, kind) {
			return kind
		}
	}
	return "other"
}

func (t *tally) json() ([]byte, error) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.sums.Seconds = time.Since(t.sums.Started).Seconds()
	t.sums.Dropped = t.late()
	return json.Marshal(t.sums)
}

// save replaces the file whole, so that a reader never sees half of it.
func (t *tally) save(path string) error {
	text, err := t.json()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
