// The demo service: an HTTP server whose latency, errors and crashes are set by
// the environment of its pod, so that a release can be as good or as bad as a
// story needs. Requests sleep instead of computing: 300 a second cost a third
// of a core, and what is measured is what was set.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// finishWithin is for requests and jobs that are under way when a pod leaves.
const finishWithin = 2 * time.Second

func main() {
	log.SetFlags(log.LUTC | log.Ltime)
	s, err := readSettings(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if err := serve(s); err != nil {
		log.Fatal(err)
	}
}

func serve(s settings) error {
	stop, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()

	born := time.Now()
	w := newWorld(s.WorldURL, s.Node)
	b, err := newBehaviour(s, w, born)
	if err != nil {
		return err
	}
	h := newHandler(s, b, newMeters(b))
	announce(s, b, born)
	go w.follow(stop)
	startHarm(stop, s)
	worker := newWorker(s, h)
	worker.start(stop)

	server := &http.Server{Addr: s.Listen, Handler: h.mux(), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 2)
	endCalls, err := takeCalls(h, s.GRPCListen, failed)
	if err != nil {
		return err
	}
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	err = drain(server, endCalls, h, s)
	worker.wait(finishWithin)
	return err
}

// drain goes on serving while endpoints and gateway learn that the pod leaves.
func drain(server *http.Server, endCalls func(), h *handler, s settings) error {
	h.draining.Store(true)
	time.Sleep(seconds(s.DrainSeconds))
	bounded, cancel := context.WithTimeout(context.Background(), finishWithin)
	defer cancel()
	var ending sync.WaitGroup
	defer ending.Wait()
	ending.Go(endCalls)
	if err := server.Shutdown(bounded); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// announce prints every setting and what this pod drew, so that noise is never a secret.
func announce(s settings, b *behaviour, now time.Time) {
	text, err := json.Marshal(map[string]any{"settings": s, "log_latency_offsets": b.offsets(now)})
	if err != nil {
		log.Print(err)
		return
	}
	log.Print(string(text))
}
