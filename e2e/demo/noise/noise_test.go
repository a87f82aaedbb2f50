package noise

import (
	"math"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func usual() Settings {
	return Settings{
		Seed: "7", PodSD: .03, NodeSD: .03, DriftSD: .03, DriftSeconds: 60, WobbleSD: .06, WobbleSeconds: 60,
		ErrorWobbleSD: .2, ColdFactor: 1.5, ColdSeconds: 10, BurstsPerHour: 2, BurstFactor: 1.5, BurstSeconds: 20,
	}
}

func climate(t *testing.T, s Settings, pod, node string, born time.Time) *Climate {
	t.Helper()
	c, err := NewClimate(s, pod, node, born)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPodsOfANodeShareItsDriftWhateverTheirAge(t *testing.T) {
	old := climate(t, usual(), "checkout-a", "node1", noon.Add(-6*time.Hour))
	fresh := climate(t, usual(), "checkout-b", "node1", noon)
	elsewhere := climate(t, usual(), "checkout-c", "node2", noon)
	later := noon.Add(17 * time.Minute)
	a, b, c := old.At(later), fresh.At(later), elsewhere.At(later)
	if a.Node != b.Node || a.Drift != b.Drift || a.Drift == 0 {
		t.Errorf("one node, two weathers: %+v and %+v", a, b)
	}
	if a.Drift == c.Drift || a.Node == c.Node {
		t.Errorf("two nodes, one weather: %+v", c)
	}
	if a.Wobble != c.Wobble || a.Errors != c.Errors {
		t.Errorf("the service's wobble is not shared: %+v and %+v", a, c)
	}
	if a.Pod == b.Pod {
		t.Error("two pods drew the same lot")
	}
}

func TestAWalkHasTheStandardDeviationAndMemoryItWasGiven(t *testing.T) {
	memory := time.Minute
	walk, err := NewWalk(NewSource("7", "wobble"), .06, memory)
	if err != nil {
		t.Fatal(err)
	}
	const n, lag = 8000, 12
	x := make([]float64, n)
	for i := range x {
		x[i] = walk.At(noon.Add(time.Duration(i) * Step))
	}
	var square, cross float64
	for i := range n - lag {
		square += x[i] * x[i]
		cross += x[i] * x[i+lag]
	}
	if sd := math.Sqrt(square / (n - lag)); math.Abs(sd-.06) > .006 {
		t.Errorf("sd is %.4f, asked for .06", sd)
	}
	// Twelve steps are one memory.
	if rho := cross / square; math.Abs(rho-math.Exp(-1)) > .08 {
		t.Errorf("correlation after one memory is %.3f, not 1/e", rho)
	}
}

func TestLotsAndOffsetsSpreadAsAskedFor(t *testing.T) {
	var square float64
	const n = 4000
	for i := range n {
		lot := climate(t, usual(), "checkout-"+time.Duration(i).String(), "node1", noon).pod
		square += lot * lot
	}
	if sd := math.Sqrt(square / n); math.Abs(sd-.03) > .002 {
		t.Errorf("lots spread by %.4f, asked for .03", sd)
	}
}

func TestAColdStartFades(t *testing.T) {
	c := climate(t, usual(), "checkout-a", "node1", noon)
	if got := math.Exp(c.At(noon).Cold); math.Abs(got-1.5) > 1e-9 {
		t.Errorf("a pod starts %.3f times as slow, asked for 1.5", got)
	}
	if got := c.At(noon.Add(time.Minute)).Cold; got > .002 || got <= 0 {
		t.Errorf("after a minute %.4f of cold start is left", got)
	}
}

func TestBurstsComeAsOftenAsAskedForAndNotToAllPodsAtOnce(t *testing.T) {
	a := climate(t, usual(), "checkout-a", "node1", noon)
	b := climate(t, usual(), "checkout-b", "node1", noon)
	var seen, both float64
	const hours = 400
	for s := range hours * 360 {
		at := noon.Add(time.Duration(s) * 10 * time.Second)
		if a.burst(at) > 0 {
			seen++
			if b.burst(at) > 0 {
				both++
			}
		}
	}
	if perHour := seen / 2 / hours; math.Abs(perHour-2) > .3 {
		t.Errorf("%.2f bursts an hour, asked for 2", perHour)
	}
	if both > seen*.1 {
		t.Errorf("%.0f of %.0f bursts hit both pods", both, seen)
	}
}

func TestQuietIsQuiet(t *testing.T) {
	s := Settings{DriftSeconds: 60, WobbleSeconds: 60, ColdFactor: 1, ColdSeconds: 1, BurstFactor: 1, BurstSeconds: 1}
	if got := climate(t, s, "checkout-a", "node1", noon).At(noon); got != (Weather{}) {
		t.Errorf("no noise asked for, got %+v", got)
	}
}

func TestAMemoryBeyondTheLookBackIsRefused(t *testing.T) {
	for _, memory := range []time.Duration{0, -time.Second, MaxMemory + 1} {
		if _, err := NewWalk(NewSource("7"), .1, memory); err == nil {
			t.Errorf("a memory of %s was accepted", memory)
		}
	}
}

// Pods started from different builds must still share a node's drift.
func TestTheTableNeverChanges(t *testing.T) {
	if got := NewSource("7", "drift", "node1").Normal(353_000_000); math.Abs(got-golden7) > 1e-12 {
		t.Errorf("entry is %.15f, was %.15f", got, golden7)
	}
}

const golden7 = 0.460610268346930
