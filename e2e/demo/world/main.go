// The world around the demo: a switch that slows or breaks every pod at once, or
// the pods of one node, whichever their version, for a reason that is not the release. Pods ask each
// second; a mounted ConfigMap would take kubelet a minute to deliver.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"causalrollouts.dev/demo/doors"
)

// surroundings is what pods are told. Nodes are factors of their own, by node.
type surroundings struct {
	Slowdown float64            `json:"slowdown"`
	Errors   float64            `json:"errors"`
	Nodes    map[string]float64 `json:"nodes,omitempty"`
}

func (s surroundings) check() error {
	if !(s.Slowdown >= .1 && s.Slowdown <= 50) {
		return fmt.Errorf("slowdown is %g; give from 0.1 to 50 (1 is calm)", s.Slowdown)
	}
	for node, factor := range s.Nodes {
		if !(factor >= .1 && factor <= 50) {
			return fmt.Errorf("nodes[%s] is %g; give from 0.1 to 50 (1 is calm)", node, factor)
		}
	}
	if !(s.Errors >= 0 && s.Errors <= 1) {
		return fmt.Errorf("errors is %g; give a share from 0 to 1", s.Errors)
	}
	return nil
}

// world holds the present and answers for it.
type world struct {
	lock  sync.Mutex
	now   surroundings
	asked uint64
}

// tell answers a GET.
func (w *world) tell(out http.ResponseWriter, _ *http.Request) {
	w.lock.Lock()
	now := w.now
	w.asked++
	w.lock.Unlock()
	out.Header().Set("Content-Type", "application/json")
	json.NewEncoder(out).Encode(now)
}

// change answers a PUT.
func (w *world) change(out http.ResponseWriter, in *http.Request) {
	wanted := surroundings{Slowdown: 1}
	decoder := json.NewDecoder(http.MaxBytesReader(out, in.Body, 1<<10))
	decoder.DisallowUnknownFields()
	if err := errors.Join(decoder.Decode(&wanted), wanted.check()); err != nil {
		http.Error(out, err.Error(), http.StatusBadRequest)
		return
	}
	w.lock.Lock()
	w.now = wanted
	w.lock.Unlock()
	out.WriteHeader(http.StatusNoContent)
}

// questions tells how often pods asked, so that a test can see that they listen.
func (w *world) questions(out http.ResponseWriter, _ *http.Request) {
	w.lock.Lock()
	defer w.lock.Unlock()
	fmt.Fprintln(out, w.asked)
}

// forPods only answers; forUs also obeys and is bound to loopback.
func (w *world) forPods() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", w.tell)
	return mux
}

func (w *world) forUs() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", w.tell)
	mux.HandleFunc("PUT /{$}", w.change)
	mux.HandleFunc("GET /asked", w.questions)
	return mux
}

func main() {
	control := flag.String("control", "127.0.0.1:18900", "loopback address to be changed at")
	pods := flag.String("pods", "", "address for pods to ask at; read-only")
	flag.Parse()
	if err := doors.Check(*control, *pods); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := serve(*control, *pods); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(control, pods string) error {
	stop, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	w := &world{now: surroundings{Slowdown: 1}}
	handlers := map[string]http.Handler{control: w.forUs()}
	if pods != "" && pods != control {
		handlers[pods] = w.forPods()
	}
	return doors.Serve(stop, handlers)
}
