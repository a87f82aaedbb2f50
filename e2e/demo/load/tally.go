package main

import (
	"encoding/json"
	"math"
	"os"
	"sync"
	"time"

	"causalrollouts.dev/demo/calls"
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

// answer is what became of one request. code: empty where nobody answered, for the reason in `unserved`.
type answer struct {
	code     string
	unserved string
	failed   bool
	latency  time.Duration
	who      calls.Who
}

func (t *tally) add(a answer) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.sums.Requests++
	if a.code == "" {
		t.sums.Unserved[a.unserved]++
		return
	}
	t.sums.Codes[a.code]++
	credit(t.sums.Versions, a.who.Version, a)
	credit(t.sums.Arms, a.who.Arm, a)
	credit(t.sums.Pods, a.who.Pod, a)
}

func credit(groups map[string]*group, name string, a answer) {
	// The gateway's own answers bear no name of a pod and belong to no arm.
	if name == "" {
		name = "gateway"
	}
	if groups[name] == nil {
		groups[name] = &group{}
	}
	groups[name].add(a.latency, a.failed)
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
