package main

import (
	"context"
	"net/url"
	"regexp"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"causalrollouts.dev/demo/calls"
)

// call makes calls by gRPC until the pacer ends or `halt`, and then waits for those under way.
func call(o order, pacer *arrivals) (<-chan answer, func(), error) {
	connection, err := dial(o.url, o.host)
	if err != nil {
		return nil, nil, err
	}
	stop, halt := context.WithCancel(context.Background())
	given := make(chan answer)
	go func() {
		defer close(given)
		defer connection.Close()
		callAll(stop, connection, pacer, o, given)
	}()
	return given, halt, nil
}

func callAll(stop context.Context, connection *grpc.ClientConn, pacer *arrivals, o order, given chan<- answer) {
	var under sync.WaitGroup
	defer under.Wait()
	places := make(chan struct{}, o.workers)
	began := time.Now()
	for made := uint64(0); ; made++ {
		elapsed := time.Since(began)
		wait, over := pacer.Pace(elapsed, made)
		// Few workers may be behind with arrivals that were due in time.
		if over || elapsed > o.duration {
			return
		}
		select {
		case <-stop.Done():
			return
		case <-time.After(wait):
		}
		select {
		case <-stop.Done():
			return
		case places <- struct{}{}:
		}
		under.Go(func() {
			given <- callOnce(connection)
			<-places
		})
	}
}

func callOnce(connection *grpc.ClientConn) answer {
	bounded, cancel := context.WithTimeout(context.Background(), answerWithin)
	defer cancel()
	began := time.Now()
	who, err := calls.Buy(bounded, connection)
	took := time.Since(began)
	if who.Arm == "" {
		return answer{unserved: unserved(err)}
	}
	code := status.Code(err)
	return answer{code: code.String(), failed: code != codes.OK, latency: took, who: who}
}

var gatewaySaid = regexp.MustCompile(`HTTP status code[^0-9]*([0-9]{3})`)

// unserved says why no pod answered. A gateway without gRPC of its own answers with a code of HTTP, which
// tells more than what clients of gRPC make of it.
func unserved(err error) string {
	if said := gatewaySaid.FindStringSubmatch(status.Convert(err).Message()); said != nil {
		return "gateway " + said[1]
	}
	if kind := reason(status.Convert(err).Message()); kind != "other" {
		return kind
	}
	return status.Code(err).String()
}

// dial is lazy, as a gateway that is away must be counted and not end the load.
func dial(address, host string) (*grpc.ClientConn, error) {
	parsed, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	// The usual pauses grow to two minutes, in which each call would fail at a gateway long back.
	pauses := backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: .2, MaxDelay: time.Second}
	return grpc.NewClient("passthrough:///"+parsed.Host,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithAuthority(host),
		// A proxy would carry the load elsewhere.
		grpc.WithNoProxy(),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: pauses, MinConnectTimeout: 2 * time.Second}),
	)
}
