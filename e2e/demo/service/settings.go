package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"causalrollouts.dev/demo/noise"
)

// settings are all knobs of one pod, read once from the environment.
type settings struct {
	Version string `json:"version"`
	Arm     string `json:"arm"`
	Pod     string `json:"pod"`
	Node    string `json:"node"`
	Listen  string `json:"listen"`
	// Where calls by gRPC are taken beside HTTP; empty for nowhere.
	GRPCListen string `json:"grpc_listen"`

	MedianMS   float64 `json:"median_ms"`
	Spread     float64 `json:"spread"`
	BaseErrors float64 `json:"base_errors"`

	LatencyFactor float64 `json:"latency_factor"`
	TailShare     float64 `json:"tail_share"`
	TailFactor    float64 `json:"tail_factor"`
	ErrorShare    float64 `json:"error_share"`
	CrashAfter    float64 `json:"crash_after"`
	LeakMBPerMin  float64 `json:"leak_mb_per_min"`
	BurnCores     float64 `json:"burn_cores"`
	Onset         float64 `json:"onset"`

	BackendURL    string  `json:"backend_url"`
	BackendCalls  float64 `json:"backend_calls"`
	BackendBeside float64 `json:"backend_beside"`
	Concurrency   float64 `json:"concurrency"`

	QueueURL     string  `json:"queue_url"`
	QueueWorkers float64 `json:"queue_workers"`

	WorldURL       string  `json:"world_url"`
	DrainSeconds   float64 `json:"drain_seconds"`
	HealthzMetrics bool    `json:"healthz_metrics"`

	Noise noise.Settings `json:"noise"`
}

// readSettings collects every mistake instead of the first, so that a template is mended in one go.
func readSettings(env func(string) string) (settings, error) {
	r := reader{env: env}
	s := settings{
		Version: r.text("VERSION", "dev"),
		Arm:     r.text("ARM", "none"),
		Pod:     r.text("POD_NAME", "local"),
		Node:    r.text("NODE_NAME", "local"),
		Listen:  r.text("LISTEN", ":8080"),

		GRPCListen: r.text("GRPC_LISTEN", ""),

		MedianMS:   r.number("MEDIAN_MS", 25, .1, 5000),
		Spread:     r.number("SPREAD", .39, 0, 2),
		BaseErrors: r.number("BASE_ERRORS", .005, 0, 1),

		LatencyFactor: r.number("LATENCY_FACTOR", 1, .1, 50),
		TailShare:     r.number("TAIL_SHARE", 0, 0, 1),
		TailFactor:    r.number("TAIL_FACTOR", 1, 1, 100),
		ErrorShare:    r.number("ERROR_SHARE", 0, 0, 1),
		CrashAfter:    r.number("CRASH_AFTER", 0, 0, 86400),
		LeakMBPerMin:  r.number("LEAK_MB_PER_MIN", 0, 0, 10000),
		BurnCores:     r.number("BURN_CORES", 0, 0, 16),
		Onset:         r.number("ONSET", 0, 0, 86400),

		BackendURL:    r.address("BACKEND_URL"),
		BackendCalls:  r.number("BACKEND_CALLS", 1, 0, 20),
		BackendBeside: r.number("BACKEND_BESIDE", 0, 0, 20),
		Concurrency:   r.number("CONCURRENCY", 0, 0, 10000),

		QueueURL:     r.address("QUEUE_URL"),
		QueueWorkers: r.number("QUEUE_WORKERS", 2, 1, 100),

		WorldURL:       r.address("WORLD_URL"),
		DrainSeconds:   r.number("DRAIN_SECONDS", 4, 0, 60),
		HealthzMetrics: r.flag("HEALTHZ_METRICS"),

		Noise: noise.Settings{
			Seed:          r.text("SEED", "1"),
			PodSD:         r.number("POD_SD", 0, 0, 1),
			NodeSD:        r.number("NODE_SD", 0, 0, 1),
			DriftSD:       r.number("DRIFT_SD", 0, 0, 1),
			DriftSeconds:  r.number("DRIFT_SECONDS", 60, 1, noise.MaxMemory.Seconds()),
			WobbleSD:      r.number("WOBBLE_SD", 0, 0, 1),
			WobbleSeconds: r.number("WOBBLE_SECONDS", 60, 1, noise.MaxMemory.Seconds()),
			ErrorWobbleSD: r.number("ERROR_WOBBLE_SD", 0, 0, 2),
			ColdFactor:    r.number("COLD_FACTOR", 1, 1, 50),
			ColdSeconds:   r.number("COLD_SECONDS", 10, .1, 600),
			BurstsPerHour: r.number("BURSTS_PER_HOUR", 0, 0, 3600),
			BurstFactor:   r.number("BURST_FACTOR", 1, 1, 50),
			BurstSeconds:  r.number("BURST_SECONDS", 20, 1, 600),
		},
	}
	return s, errors.Join(r.mistakes...)
}

func (s settings) onset() time.Duration { return seconds(s.Onset) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

type reader struct {
	env      func(string) string
	mistakes []error
}

func (r *reader) text(name, fallback string) string {
	if value := r.env(name); value != "" {
		return value
	}
	return fallback
}

func (r *reader) number(name string, fallback, low, high float64) float64 {
	value := r.env(name)
	if value == "" {
		return fallback
	}
	number, err := strconv.ParseFloat(value, 64)
	if err != nil || !(number >= low && number <= high) {
		r.mistakes = append(r.mistakes,
			fmt.Errorf("%s is %q; give a number from %g to %g", name, value, low, high))
		return fallback
	}
	return number
}

func (r *reader) flag(name string) bool {
	switch value := r.env(name); value {
	case "", "false":
		return false
	case "true":
		return true
	default:
		r.mistakes = append(r.mistakes, fmt.Errorf("%s is %q; give true or false", name, value))
		return false
	}
}

func (r *reader) address(name string) string {
	value := r.env(name)
	if value == "" {
		return ""
	}
	parsed, err := url.Parse(value)
	if err != nil || parsed.Scheme != "http" || parsed.Host == "" {
		r.mistakes = append(r.mistakes,
			fmt.Errorf("%s is %q; give an address such as http://backend:80/", name, value))
		return ""
	}
	return strings.TrimRight(value, "/") + "/"
}
