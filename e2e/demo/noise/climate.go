package noise

import (
	"math"
	"time"
)

// Settings say how strong each disturbance is. Standard deviations and factors
// are of log latency and latency; times are in seconds.
type Settings struct {
	Seed          string  `json:"seed"`
	PodSD         float64 `json:"pod_sd"`
	NodeSD        float64 `json:"node_sd"`
	DriftSD       float64 `json:"drift_sd"`
	DriftSeconds  float64 `json:"drift_seconds"`
	WobbleSD      float64 `json:"wobble_sd"`
	WobbleSeconds float64 `json:"wobble_seconds"`
	ErrorWobbleSD float64 `json:"error_wobble_sd"`
	ColdFactor    float64 `json:"cold_factor"`
	ColdSeconds   float64 `json:"cold_seconds"`
	BurstsPerHour float64 `json:"bursts_per_hour"`
	BurstFactor   float64 `json:"burst_factor"`
	BurstSeconds  float64 `json:"burst_seconds"`
}

// Weather is what disturbs one pod at one instant, each part in log latency
// (Errors in log error rate).
type Weather struct {
	Pod, Node, Drift, Wobble, Cold, Burst float64
	Errors                                float64
}

// Latency is the sum of the parts.
func (w Weather) Latency() float64 {
	return w.Pod + w.Node + w.Drift + w.Wobble + w.Cold + w.Burst
}

// Climate makes the weather of one pod.
type Climate struct {
	settings Settings
	born     time.Time
	pod      float64
	node     float64
	drift    *Walk
	wobble   *Walk
	errors   *Walk
	bursts   Source
	phase    int64
}

// NewClimate draws the lottery of a pod on a node and opens the walks it shares.
func NewClimate(s Settings, pod, node string, born time.Time) (*Climate, error) {
	drift, err := NewWalk(NewSource(s.Seed, "drift", node), s.DriftSD, seconds(s.DriftSeconds))
	if err != nil {
		return nil, err
	}
	wobble, err := NewWalk(NewSource(s.Seed, "wobble"), s.WobbleSD, seconds(s.WobbleSeconds))
	if err != nil {
		return nil, err
	}
	errors, err := NewWalk(NewSource(s.Seed, "error wobble"), s.ErrorWobbleSD, seconds(s.WobbleSeconds))
	if err != nil {
		return nil, err
	}
	lottery := NewSource(s.Seed, "pod", pod)
	return &Climate{
		settings: s,
		born:     born,
		pod:      s.PodSD * lottery.Normal(0),
		node:     s.NodeSD * NewSource(s.Seed, "node", node).Normal(0),
		drift:    drift,
		wobble:   wobble,
		errors:   errors,
		bursts:   NewSource(s.Seed, "bursts", pod),
		// Without a phase of its own every pod's bursts would begin at the same second.
		phase: int64(lottery.Uniform(1) * s.BurstSeconds * float64(time.Second)),
	}, nil
}

// At is the weather at an instant.
func (c *Climate) At(t time.Time) Weather {
	return Weather{
		Pod:    c.pod,
		Node:   c.node,
		Drift:  c.drift.At(t),
		Wobble: c.wobble.At(t),
		Cold:   c.cold(t),
		Burst:  c.burst(t),
		Errors: c.errors.At(t),
	}
}

// cold fades by 1/e every ColdSeconds after the start of the pod.
func (c *Climate) cold(t time.Time) float64 {
	age := t.Sub(c.born).Seconds()
	return math.Log(1 + (c.settings.ColdFactor-1)*math.Exp(-age/c.settings.ColdSeconds))
}

func (c *Climate) burst(t time.Time) float64 {
	s := c.settings
	slot := (t.UnixNano() + c.phase) / int64(seconds(s.BurstSeconds))
	if c.bursts.Uniform(slot) >= s.BurstsPerHour*s.BurstSeconds/3600 {
		return 0
	}
	return math.Log(s.BurstFactor)
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
