package main

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// handler answers requests as the behaviour says and counts them.
type handler struct {
	settings   settings
	behaviour  *behaviour
	meters     *meters
	places     chan struct{}
	downstream *downstream
	draining   atomic.Bool
}

func newHandler(s settings, b *behaviour, m *meters) *handler {
	h := &handler{settings: s, behaviour: b, meters: m, downstream: newDownstream(s, m)}
	if s.Concurrency >= 1 {
		h.places = make(chan struct{}, int(s.Concurrency))
	}
	return h
}

func (h *handler) mux() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", h.meters.page())
	mux.HandleFunc("/healthz", h.healthz)
	mux.HandleFunc("/{$}", h.route("/"))
	mux.HandleFunc("/cart", h.route("/cart"))
	// Paths are the caller's to choose; as labels they would grow without bound.
	mux.HandleFunc("/", h.route("other"))
	return mux
}

func (h *handler) healthz(w http.ResponseWriter, _ *http.Request) {
	start := time.Now()
	w.WriteHeader(http.StatusOK)
	if h.settings.HealthzMetrics {
		h.meters.observe("/healthz", http.StatusOK, time.Since(start))
	}
}

func (h *handler) route(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		code := h.work(r.Context(), start)
		header := w.Header()
		header.Set("X-Version", h.settings.Version)
		header.Set("X-Arm", h.settings.Arm)
		header.Set("X-Pod", h.settings.Pod)
		if h.draining.Load() {
			header.Set("Connection", "close")
		}
		w.WriteHeader(code)
		io.WriteString(w, http.StatusText(code)+"\n")
		h.meters.observe(name, code, time.Since(start))
	}
}

// work is what one request, call or job takes, and the code that it ends with.
func (h *handler) work(ctx context.Context, start time.Time) int {
	if h.places != nil {
		h.places <- struct{}{}
		defer func() { <-h.places }()
	}
	h.downstream.beside()
	time.Sleep(h.behaviour.latency(start))
	return h.outcome(ctx, start)
}

func (h *handler) outcome(ctx context.Context, start time.Time) int {
	if !h.downstream.answers(ctx) {
		return http.StatusBadGateway
	}
	if h.behaviour.fails(start) {
		return http.StatusInternalServerError
	}
	return http.StatusOK
}
