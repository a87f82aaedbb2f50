package main

import (
	"math"
	"math/rand/v2"
	"time"

	"causalrollouts.dev/demo/noise"
)

// A request never sleeps longer, or a typing error in a knob would exhaust the gateway.
const longest = 10 * time.Second

// behaviour decides how long a request takes and whether it fails.
type behaviour struct {
	settings settings
	climate  *noise.Climate
	world    *world
	born     time.Time
}

func newBehaviour(s settings, w *world, born time.Time) (*behaviour, error) {
	climate, err := noise.NewClimate(s.Noise, s.Pod, s.Node, born)
	if err != nil {
		return nil, err
	}
	return &behaviour{settings: s, climate: climate, world: w, born: born}, nil
}

func (b *behaviour) harmful(now time.Time) bool { return now.Sub(b.born) >= b.settings.onset() }

// offsets are all shifts of log latency at an instant, by cause.
func (b *behaviour) offsets(now time.Time) map[string]float64 {
	weather := b.climate.At(now)
	version := 0.0
	if b.harmful(now) {
		version = math.Log(b.settings.LatencyFactor)
	}
	return map[string]float64{
		"pod": weather.Pod, "node": weather.Node, "drift": weather.Drift, "wobble": weather.Wobble,
		"cold": weather.Cold, "burst": weather.Burst,
		"world": math.Log(b.world.present().Slowdown), "version": version,
	}
}

// latency draws one log-normal time.
func (b *behaviour) latency(now time.Time) time.Duration {
	s := b.settings
	factor := b.world.present().Slowdown
	if b.harmful(now) {
		factor *= s.LatencyFactor
		if rand.Float64() < s.TailShare {
			factor *= s.TailFactor
		}
	}
	log := b.climate.At(now).Latency() + s.Spread*rand.NormFloat64()
	drawn := s.MedianMS / 1000 * factor * math.Exp(log)
	return min(longest, seconds(drawn))
}

// fails draws whether one request ends in a 500.
func (b *behaviour) fails(now time.Time) bool {
	return rand.Float64() < b.errorShare(now)
}

func (b *behaviour) errorShare(now time.Time) float64 {
	s := b.settings
	share := s.BaseErrors*math.Exp(b.climate.At(now).Errors) + b.world.present().Errors
	if b.harmful(now) {
		share += s.ErrorShare
	}
	return min(1, share)
}
