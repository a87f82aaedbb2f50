// The backend that the demo's services share: a limited number of workers behind
// one queue. Each request burns CPU and holds a worker meanwhile; with the CPU
// limit of its pod that makes a capacity in requests a second which does not
// depend on the speed of the machine. Nothing sleeps: a slow answer is one that
// waited for others.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type order struct {
	listen         string
	workers, queue int
	cpu            time.Duration
}

func readOrder(arguments []string) (order, error) {
	var o order
	flags := flag.NewFlagSet("backend", flag.ContinueOnError)
	flags.StringVar(&o.listen, "listen", ":8080", "address to answer at")
	flags.IntVar(&o.workers, "workers", 2, "requests worked on at once, 1 to 64")
	flags.IntVar(&o.queue, "queue", 500, "requests that may wait, 1 to 10000; more are refused with a 503")
	flags.DurationVar(&o.cpu, "cpu", 4*time.Millisecond, "CPU time that a request burns, 10us to 1s")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	var mistakes []error
	if o.workers < 1 || o.workers > 64 {
		mistakes = append(mistakes, fmt.Errorf("-workers is %d; give 1 to 64", o.workers))
	}
	if o.queue < 1 || o.queue > 10000 {
		mistakes = append(mistakes, fmt.Errorf("-queue is %d; give 1 to 10000", o.queue))
	}
	if o.cpu < 10*time.Microsecond || o.cpu > time.Second {
		mistakes = append(mistakes, fmt.Errorf("-cpu is %s; give 10us to 1s", o.cpu))
	}
	return o, errors.Join(mistakes...)
}

func handler(o order) http.Handler {
	workers, meters := newPool(o.workers, o.queue), newMeters()
	mux := http.NewServeMux()
	mux.Handle("/metrics", meters.page())
	mux.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		meters.inFlight.Inc()
		defer meters.inFlight.Dec()
		code := http.StatusOK
		if workers.do(r.Context(), o.cpu) != nil {
			code = http.StatusServiceUnavailable
		}
		w.WriteHeader(code)
		io.WriteString(w, http.StatusText(code)+"\n")
		meters.observe(code, time.Since(start))
	})
	return mux
}

func main() {
	o, err := readOrder(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	stop, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	server := &http.Server{Addr: o.listen, Handler: handler(o), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	select {
	case err := <-failed:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	case <-stop.Done():
		bounded, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		server.Shutdown(bounded)
	}
}
