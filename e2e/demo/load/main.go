// The demo's load: an open loop with Poisson arrivals through the gateway,
// bounded in rate and time. A closed loop would slow down with the service and
// so hide the harm it should show.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

const (
	fastest = 500
	longest = 4 * time.Hour
	// In flight at most; reached only when the service stalls.
	most = 600
)

type order struct {
	url, host, progress string
	rate                float64
	workers             uint64
	duration            time.Duration
	paths               []string
	ranges              []netip.Prefix
	fresh, grpc         bool
	seed                uint64
}

func readOrder(arguments []string) (order, error) {
	var o order
	var paths string
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&o.url, "url", "http://127.0.0.1:8000", "the gateway, by address")
	flags.StringVar(&o.host, "host", "", "Host header, which chooses the route")
	flags.Float64Var(&o.rate, "rate", 150, "mean requests a second, at most 500")
	flags.DurationVar(&o.duration, "duration", 10*time.Minute, "ends by itself after this, at most 4h")
	flags.Uint64Var(&o.workers, "workers", most, "requests in flight at most, up to 600; with few the load waits for answers and cannot bury who is slow")
	flags.BoolVar(&o.fresh, "fresh", false, "a connection of its own for each request: a Service without a gateway shares connections, not requests")
	flags.BoolVar(&o.grpc, "grpc", false, "calls by gRPC instead of requests, all on one connection as clients of gRPC have it; -paths do not count")
	flags.StringVar(&paths, "paths", "/,/cart", "asked for in equal shares")
	flags.StringVar(&o.progress, "progress", "", "file to hold the counts so far, rewritten each second")
	flags.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of the arrival times")
	flags.Func("cluster", "private range that may be loaded beside loopback, such as 10.97.0.0/16", func(text string) error {
		allowed, err := parseRange(text)
		o.ranges = append(o.ranges, allowed)
		return err
	})
	if err := flags.Parse(arguments); err != nil {
		return o, err
	}
	o.url = strings.TrimRight(o.url, "/")
	o.paths = strings.Split(paths, ",")
	return o, errors.Join(checkTarget(o.url, o.ranges), o.checkBounds())
}

func (o order) checkBounds() error {
	var mistakes []error
	if !(o.rate > 0 && o.rate <= fastest) {
		mistakes = append(mistakes, fmt.Errorf("-rate is %g; give more than 0 and at most %d", o.rate, fastest))
	}
	if o.duration <= 0 || o.duration > longest {
		mistakes = append(mistakes, fmt.Errorf("-duration is %s; give more than 0 and at most %s", o.duration, longest))
	}
	if o.workers < 1 || o.workers > most {
		mistakes = append(mistakes, fmt.Errorf("-workers is %d; give 1 to %d", o.workers, most))
	}
	if o.grpc && o.fresh {
		mistakes = append(mistakes, errors.New("-grpc and -fresh exclude each other; give one"))
	}
	for _, path := range o.paths {
		if !strings.HasPrefix(path, "/") {
			mistakes = append(mistakes, fmt.Errorf("-paths has %q; each begins with /", path))
		}
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
	stop, release := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer release()
	text, err := run(stop, o)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(string(text))
}

// run loads until the duration is over or the context ends, then waits for answers under way.
func run(stop context.Context, o order) ([]byte, error) {
	pacer := newArrivals(o.rate, o.duration, o.seed)
	counts := newTally(o.rate, pacer.dropped.Load)
	answers, halt, err := begin(o, pacer)
	if err != nil {
		return nil, err
	}

	each := time.NewTicker(time.Second)
	defer each.Stop()
	for {
		select {
		case given, more := <-answers:
			if !more {
				return finish(counts, o.progress)
			}
			counts.add(given)
		case <-each.C:
			if o.progress == "" {
				continue
			}
			if err := counts.save(o.progress); err != nil {
				return nil, err
			}
		case <-stop.Done():
			halt()
			// A closed channel would be chosen again and again.
			stop = context.Background()
		}
	}
}

// begin starts the load; `halt` lets no more requests begin.
func begin(o order, pacer *arrivals) (answers <-chan answer, halt func(), err error) {
	if o.grpc {
		return call(o, pacer)
	}
	answers, halt = request(o, pacer)
	return answers, halt, nil
}

func finish(counts *tally, progress string) ([]byte, error) {
	if progress != "" {
		if err := counts.save(progress); err != nil {
			return nil, err
		}
	}
	return counts.json()
}
