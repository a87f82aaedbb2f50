package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Long enough that idle workers seldom ask, short enough for a worker that ends to wait it out.
const patience = time.Second

// counter is where workers fetch jobs and bring them back.
type counter struct {
	queue   *queue
	started time.Time
}

// forPods lets workers work; forUs also tells and is bound to loopback.
func (c *counter) forPods() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /take", c.take)
	mux.HandleFunc("POST /done", c.done)
	return mux
}

func (c *counter) forUs() *http.ServeMux {
	mux := c.forPods()
	mux.HandleFunc("GET /stats", c.stats)
	return mux
}

// take answers with the id of one job, or 204 when none came in time.
func (c *counter) take(out http.ResponseWriter, in *http.Request) {
	taken, some := c.queue.take(in.Context(), patience)
	if !some {
		out.WriteHeader(http.StatusNoContent)
		return
	}
	fmt.Fprintln(out, taken.id)
}

func (c *counter) done(out http.ResponseWriter, in *http.Request) {
	asked := in.URL.Query()
	id, err := strconv.ParseUint(asked.Get("job"), 10, 64)
	if err != nil {
		http.Error(out, fmt.Sprintf("job is %q; give the number that /take gave", asked.Get("job")), http.StatusBadRequest)
		return
	}
	ok, err := strconv.ParseBool(asked.Get("ok"))
	if err != nil {
		http.Error(out, fmt.Sprintf("ok is %q; give true or false", asked.Get("ok")), http.StatusBadRequest)
		return
	}
	if !c.queue.finish(id, ok, worker{arm: asked.Get("arm"), version: asked.Get("version")}) {
		http.Error(out, fmt.Sprintf("job %d is not under way; it took too long, or is done", id), http.StatusGone)
		return
	}
	out.WriteHeader(http.StatusNoContent)
}

func (c *counter) stats(out http.ResponseWriter, _ *http.Request) {
	out.Header().Set("Content-Type", "application/json")
	json.NewEncoder(out).Encode(c.queue.report(c.started, time.Now()))
}
