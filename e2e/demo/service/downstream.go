package main

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	backendTimeout = 5 * time.Second
	// Calls beside answers that a pod has still to make, at most.
	backlog = 16
)

// downstream makes the calls that a request needs, and those that a version makes beside its
// answers, such as filling a cache ahead: users do not wait for these, but the backend works for them too.
type downstream struct {
	url    string
	needed int
	extra  int
	later  chan struct{}
	client *http.Client
	meters *meters
}

func newDownstream(s settings, m *meters) *downstream {
	d := &downstream{
		url:    s.BackendURL,
		needed: int(s.BackendCalls),
		extra:  int(s.BackendBeside),
		later:  make(chan struct{}, backlog),
		client: &http.Client{Timeout: backendTimeout, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		meters: m,
	}
	if d.url != "" && d.extra > 0 {
		go d.makeLater()
	}
	return d
}

// answers makes the calls that a request waits for, one after the other, up to the first that fails.
func (d *downstream) answers(ctx context.Context) bool {
	if d.url == "" {
		return true
	}
	for range d.needed {
		if !d.call(ctx) {
			return false
		}
	}
	return true
}

// beside asks for the calls that no request waits for. A pod makes them one after the other and lets go
// of what it cannot keep up with: one that asked for ever more of a slow backend would end it.
func (d *downstream) beside() {
	for range d.extra {
		select {
		case d.later <- struct{}{}:
		default:
		}
	}
}

func (d *downstream) makeLater() {
	for range d.later {
		d.call(context.Background())
	}
}

func (d *downstream) call(ctx context.Context) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return false
	}
	response, err := d.client.Do(request)
	if err != nil {
		d.meters.downstream.WithLabelValues("none").Inc()
		return false
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	d.meters.downstream.WithLabelValues(strconv.Itoa(response.StatusCode)).Inc()
	return response.StatusCode < http.StatusInternalServerError
}
