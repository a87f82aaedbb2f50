package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	pollEvery   = time.Second
	pollTimeout = 500 * time.Millisecond
	// One lost poll must not end an incident in one pod alone.
	forgetAfter = 5 * time.Second
)

// surroundings are what a pod suffers at present, whichever its version: with
// the whole service, and by the factor of its node where that has one.
type surroundings struct {
	Slowdown float64 `json:"slowdown"`
	Errors   float64 `json:"errors"`
}

var calm = surroundings{Slowdown: 1}

// world follows the incident switch that all pods share.
type world struct {
	url    string
	node   string
	client *http.Client
	now    atomic.Pointer[surroundings]
}

func newWorld(url, node string) *world {
	w := &world{url: url, node: node, client: &http.Client{Timeout: pollTimeout}}
	w.now.Store(&calm)
	return w
}

func (w *world) present() surroundings { return *w.now.Load() }

// follow polls until the context ends; a world out of reach is a calm one.
func (w *world) follow(ctx context.Context) {
	if w.url == "" {
		return
	}
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	heard := time.Now()
	for {
		if seen, err := w.look(ctx); err == nil {
			heard = time.Now()
			w.now.Store(&seen)
		} else if time.Since(heard) > forgetAfter {
			w.now.Store(&calm)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (w *world) look(ctx context.Context) (surroundings, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, w.url, nil)
	if err != nil {
		return calm, err
	}
	response, err := w.client.Do(request)
	if err != nil {
		return calm, err
	}
	defer response.Body.Close()
	var said struct {
		surroundings
		Nodes map[string]float64 `json:"nodes"`
	}
	if err := json.NewDecoder(response.Body).Decode(&said); err != nil {
		return calm, err
	}
	seen := said.surroundings
	if factor, slow := said.Nodes[w.node]; slow {
		seen.Slowdown *= factor
	}
	if !(seen.Slowdown >= .1 && seen.Slowdown <= 50 && seen.Errors >= 0 && seen.Errors <= 1) {
		return calm, fmt.Errorf("the world says %+v; slowdown is from .1 to 50, errors from 0 to 1", seen)
	}
	return seen, nil
}
