package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"causalrollouts.dev/demo/calls"
)

// answering takes calls as one canary and fails every tenth; the address, and how many came.
func answering(t *testing.T, took time.Duration) (string, *atomic.Int64) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served atomic.Int64
	server := grpc.NewServer()
	who := calls.Who{Version: "v2", Arm: "canary", Pod: "quotes-canary"}
	server.RegisterService(calls.Describe(who, func(ctx context.Context) error {
		time.Sleep(took)
		header, _ := metadata.FromIncomingContext(ctx)
		if name := header.Get(":authority"); len(name) != 1 || name[0] != "checkout.demo.test" {
			return status.Errorf(codes.NotFound, "called as %v", name)
		}
		if served.Add(1)%10 == 0 {
			return status.Error(codes.Internal, "as asked")
		}
		return nil
	}), nil)
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	return "http://" + listener.Addr().String(), &served
}

func TestEveryCallIsCountedByCodeVersionAndArm(t *testing.T) {
	address, served := answering(t, 0)
	got := loaded(t, context.Background(), "-grpc", "-url", address, "-rate", "400", "-duration", "500ms")
	if got.Requests != uint64(served.Load()) || got.Requests < 50 {
		t.Errorf("%d calls reported, %d served", got.Requests, served.Load())
	}
	if got.Codes["Internal"] != got.Requests/10 || got.Codes["OK"]+got.Codes["Internal"] != got.Requests {
		t.Errorf("codes %v, of %d", got.Codes, got.Requests)
	}
	arm := got.Arms["canary"]
	if arm == nil || arm.Requests != got.Requests || arm.Errors != got.Requests/10 || got.Versions["v2"].Requests != got.Requests {
		t.Errorf("arms %v, of %d", got.Arms, got.Requests)
	}
}

func TestFewWorkersNeverHaveMoreCallsInFlight(t *testing.T) {
	address, served := answering(t, 50*time.Millisecond)
	loaded(t, context.Background(), "-grpc", "-url", address, "-rate", "400", "-duration", "500ms", "-workers", "2")
	if n := served.Load(); n < 4 || n > 22 {
		t.Errorf("%d calls of 50 ms in half a second by two at a time", n)
	}
}

func TestCallsThatAreStoppedStillReport(t *testing.T) {
	address, _ := answering(t, 0)
	stop, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	got := loaded(t, stop, "-grpc", "-url", address, "-rate", "200", "-duration", "1h")
	if got.Requests == 0 || got.Seconds > 60 || len(got.Unserved) > 0 {
		t.Errorf("%d calls in %.1f s, unserved %v", got.Requests, got.Seconds, got.Unserved)
	}
}

func TestCallsThatNoPodAnswersAreUnserved(t *testing.T) {
	refusing := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
	}))
	refusing.Config.Protocols = new(http.Protocols)
	refusing.Config.Protocols.SetUnencryptedHTTP2(true)
	refusing.Start()
	defer refusing.Close()
	for _, reason := range []string{"gateway 502", "connection refused"} {
		got := loaded(t, context.Background(), "-grpc", "-url", refusing.URL, "-rate", "100", "-duration", "200ms")
		if got.Requests == 0 || got.Unserved[reason] != got.Requests || len(got.Codes) != 0 {
			t.Errorf("%s: %d calls, unserved %v, codes %v", reason, got.Requests, got.Unserved, got.Codes)
		}
		refusing.Close()
	}
}

func TestCallsHaveOneConnectionAndSoNoFreshOnes(t *testing.T) {
	if _, err := readOrder([]string{"-grpc", "-fresh"}); err == nil {
		t.Error("-grpc -fresh was accepted")
	}
}
