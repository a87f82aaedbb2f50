package main

import (
	"context"
	"net"
	"net/http"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"causalrollouts.dev/demo/calls"
)

// takeCalls serves gRPC, without TLS, beside HTTP and as slow and as broken as that; what it gives back
// ends it. Without an address it does nothing.
func takeCalls(h *handler, address string, failed chan<- error) (func(), error) {
	if address == "" {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	server := h.callServer()
	go func() { failed <- server.Serve(listener) }()
	return func() { endCalls(server) }, nil
}

// callServer measures calls under the names that users of the usual interceptors have.
func (h *handler) callServer() *grpc.Server {
	metrics := grpcprom.NewServerMetrics(
		grpcprom.WithServerHandlingTimeHistogram(grpcprom.WithHistogramBuckets(buckets)))
	h.meters.registry.MustRegister(metrics)
	server := grpc.NewServer(grpc.UnaryInterceptor(metrics.UnaryServerInterceptor()))
	who := calls.Who{Version: h.settings.Version, Arm: h.settings.Arm, Pod: h.settings.Pod}
	server.RegisterService(calls.Describe(who, h.call), h)
	// Else the first failure of a pod would begin its series at one, where no increase is seen.
	metrics.InitializeMetrics(server)
	return server
}

func (h *handler) call(ctx context.Context) error {
	switch code := h.work(ctx, time.Now()); code {
	case http.StatusOK:
		return nil
	case http.StatusBadGateway:
		return status.Error(codes.Unavailable, http.StatusText(code))
	default:
		return status.Error(codes.Internal, http.StatusText(code))
	}
}

// endCalls tells connections to go elsewhere and waits for the calls that they brought.
func endCalls(server *grpc.Server) {
	late := time.AfterFunc(finishWithin, server.Stop)
	defer late.Stop()
	server.GracefulStop()
}
