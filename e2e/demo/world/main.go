// The world around the demo: a switch that slows or breaks every pod at once, or
// the pods of one node, whichever their version, for a reason that is not the release. Pods ask each
// second; a mounted ConfigMap would take kubelet a minute to deliver.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
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

func checkAddresses(control, pods string) error {
	ours, err := netip.ParseAddrPort(control)
	if err != nil || !ours.Addr().IsLoopback() {
		return fmt.Errorf("-control is %q; give a loopback address and port such as 127.0.0.1:18900", control)
	}
	if pods == "" {
		return nil
	}
	theirs, err := netip.ParseAddrPort(pods)
	if err != nil || !(theirs.Addr().IsPrivate() || theirs.Addr().IsLoopback()) {
		return fmt.Errorf("-pods is %q; give a private address and port that pods reach, such as 10.97.0.11:18900", pods)
	}
	return nil
}

func main() {
	control := flag.String("control", "127.0.0.1:18900", "loopback address to be changed at")
	pods := flag.String("pods", "", "address for pods to ask at; read-only")
	flag.Parse()
	if err := checkAddresses(*control, *pods); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := serve(*control, *pods); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(control, pods string) error {
	w := &world{now: surroundings{Slowdown: 1}}
	doors := map[string]http.Handler{control: w.forUs()}
	if pods != "" && pods != control {
		doors[pods] = w.forPods()
	}
	failed := make(chan error, len(doors))
	for address, handler := range doors {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
		go func() { failed <- server.Serve(listener) }()
	}
	fmt.Println("ready")
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	select {
	case err := <-failed:
		return err
	case <-stop:
		return nil
	}
}
