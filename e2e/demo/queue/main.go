// The demo's queue: jobs arrive at random times, wait, and are handed to the
// workers that ask, each until it is acknowledged. Workers pull, so a slow one
// gets fewer jobs instead of more that wait for it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"causalrollouts.dev/demo/doors"
)

const (
	fastest = 500
	longest = 4 * time.Hour
	most    = 100_000
)

type order struct {
	control, pods   string
	rate            float64
	duration, again time.Duration
	bound           int
	seed            uint64
}

func readOrder(arguments []string) (order, error) {
	var o order
	flags := flag.NewFlagSet("queue", flag.ContinueOnError)
	flags.StringVar(&o.control, "control", "127.0.0.1:18901", "loopback address to be looked at")
	flags.StringVar(&o.pods, "pods", "", "address for workers in pods")
	flags.Float64Var(&o.rate, "rate", 120, "mean jobs a second, at most 500")
	flags.DurationVar(&o.duration, "duration", 10*time.Minute, "ends by itself after this, at most 4h")
	flags.DurationVar(&o.again, "again", 5*time.Second, "a job not acknowledged by then is handed out again, 100ms to 5m")
	flags.IntVar(&o.bound, "bound", 2000, "jobs that wait at most; more are refused")
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of the arrival times")
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	return o, errors.Join(doors.Check(o.control, o.pods), o.checkBounds())
}

func (o order) checkBounds() error {
	var mistakes []error
	if !(o.rate > 0 && o.rate <= fastest) {
		mistakes = append(mistakes, fmt.Errorf("-rate is %g; give more than 0 and at most %d", o.rate, fastest))
	}
	if o.duration <= 0 || o.duration > longest {
		mistakes = append(mistakes, fmt.Errorf("-duration is %s; give more than 0 and at most %s", o.duration, longest))
	}
	if o.again < 100*time.Millisecond || o.again > 5*time.Minute {
		mistakes = append(mistakes, fmt.Errorf("-again is %s; give 100ms to 5m", o.again))
	}
	if o.bound < 1 || o.bound > most {
		mistakes = append(mistakes, fmt.Errorf("-bound is %d; give 1 to %d", o.bound, most))
	}
	return errors.Join(mistakes...)
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
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(o order) error {
	stop, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	bounded, cancel := context.WithTimeout(stop, o.duration)
	defer cancel()
	c := &counter{queue: newQueue(o.bound, o.again), started: time.Now()}
	go bring(bounded, c.queue, o.rate, rand.New(rand.NewPCG(o.seed, 0)))
	go watch(bounded, c.queue)
	handlers := map[string]http.Handler{o.control: c.forUs()}
	if o.pods != "" && o.pods != o.control {
		handlers[o.pods] = c.forPods()
	}
	return doors.Serve(bounded, handlers)
}
