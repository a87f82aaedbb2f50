package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"causalrollouts.dev/demo/calls"
)

// connected is a client of a service that takes calls, with the page of its metrics and a way to end it.
func connected(t *testing.T, env map[string]string) (*grpc.ClientConn, string, *grpc.Server) {
	t.Helper()
	page, h := serving(t, env)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := h.callServer()
	go server.Serve(listener)
	t.Cleanup(server.Stop)
	connection, err := grpc.NewClient("passthrough:///"+listener.Addr().String(),
		grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithNoProxy())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection, page.URL + "/metrics", server
}

func buy(t *testing.T, connection *grpc.ClientConn) (calls.Who, codes.Code) {
	t.Helper()
	bounded, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	who, err := calls.Buy(bounded, connection)
	return who, status.Code(err)
}

func TestACallTellsWhoAnsweredAndIsMeasuredAsTheUsualInterceptorsDo(t *testing.T) {
	for share, want := range map[string]codes.Code{"0": codes.OK, "1": codes.Internal} {
		connection, metrics, _ := connected(t, map[string]string{
			"MEDIAN_MS": "1", "BASE_ERRORS": "0", "ERROR_SHARE": share,
			"VERSION": "v4", "ARM": "canary", "POD_NAME": "quotes-canary-0-x",
		})
		who, code := buy(t, connection)
		if code != want || who != (calls.Who{Version: "v4", Arm: "canary", Pod: "quotes-canary-0-x"}) {
			t.Errorf("with errors of %s: %s from %+v", share, code, who)
		}
		_, page := get(t, metrics)
		method := `grpc_method="Buy",grpc_service="demo.Shop",grpc_type="unary"`
		for _, wanted := range []string{
			`grpc_server_handled_total{grpc_code="` + want.String() + `",` + method + `} 1`,
			`grpc_server_handled_total{grpc_code="Unavailable",` + method + `} 0`,
			`grpc_server_handling_seconds_count{` + method + `} 1`,
			`grpc_server_handling_seconds_bucket{` + method + `,le="0.5"} 1`,
		} {
			if !strings.Contains(page, wanted) {
				t.Errorf("with errors of %s /metrics lacks %s", share, wanted)
			}
		}
		if strings.Contains(page, "http_server_requests_total{") {
			t.Error("a call was counted as a request too")
		}
	}
}

func TestACallIsAsSlowAsARequest(t *testing.T) {
	connection, _, _ := connected(t, map[string]string{"MEDIAN_MS": "60", "SPREAD": "0", "LATENCY_FACTOR": "2"})
	buy(t, connection)
	began := time.Now()
	buy(t, connection)
	if took := time.Since(began); took < 120*time.Millisecond {
		t.Errorf("a call of 120 ms took %s", took)
	}
}

func TestCallsThatNeedAFailingBackendAreUnavailable(t *testing.T) {
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(500)
	}))
	defer backend.Close()
	connection, _, _ := connected(t, map[string]string{"MEDIAN_MS": "1", "BACKEND_URL": backend.URL})
	if _, code := buy(t, connection); code != codes.Unavailable {
		t.Errorf("the call ended as %s", code)
	}
}

func TestCallsUnderWayAreAnsweredWhenAPodEnds(t *testing.T) {
	connection, _, server := connected(t, map[string]string{"MEDIAN_MS": "300", "SPREAD": "0", "BASE_ERRORS": "0"})
	ended := make(chan codes.Code)
	go func() {
		_, code := buy(t, connection)
		ended <- code
	}()
	time.Sleep(150 * time.Millisecond)
	endCalls(server)
	if code := <-ended; code != codes.OK {
		t.Errorf("the call ended as %s", code)
	}
}

func TestNoCallsAreTakenUnlessAsked(t *testing.T) {
	page, h := serving(t, nil)
	end, err := takeCalls(h, h.settings.GRPCListen, nil)
	if err != nil {
		t.Fatal(err)
	}
	end()
	if _, text := get(t, page.URL+"/metrics"); strings.Contains(text, "grpc_") {
		t.Error("a service of HTTP alone has metrics of gRPC")
	}
}
