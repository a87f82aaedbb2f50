// Package calls is the one gRPC method that the demo has, for the service that answers it and the load
// that calls it. It is described by hand, since with well-known messages nothing is left to generate.
package calls

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/types/known/emptypb"
)

const (
	service = "demo.Shop"
	method  = "Buy"
)

// Who names who answered a call. It travels as metadata, as a call that failed has no message.
type Who struct{ Version, Arm, Pod string }

// Describe is the service whose only method `buy` answers.
func Describe(who Who, buy func(context.Context) error) *grpc.ServiceDesc {
	answer := func(ctx context.Context, _ any) (any, error) {
		pairs := metadata.Pairs("x-version", who.Version, "x-arm", who.Arm, "x-pod", who.Pod)
		if err := grpc.SetHeader(ctx, pairs); err != nil {
			return nil, err
		}
		return &emptypb.Empty{}, buy(ctx)
	}
	handle := func(srv any, ctx context.Context, decode func(any) error, around grpc.UnaryServerInterceptor) (any, error) {
		asked := &emptypb.Empty{}
		if err := decode(asked); err != nil {
			return nil, err
		}
		if around == nil {
			return answer(ctx, asked)
		}
		return around(ctx, asked, &grpc.UnaryServerInfo{Server: srv, FullMethod: "/" + service + "/" + method}, answer)
	}
	return &grpc.ServiceDesc{
		ServiceName: service,
		HandlerType: (*any)(nil),
		Methods:     []grpc.MethodDesc{{MethodName: method, Handler: handle}},
	}
}

// Buy makes one call; who answered is empty where no pod did.
func Buy(ctx context.Context, connection grpc.ClientConnInterface) (Who, error) {
	var header metadata.MD
	err := connection.Invoke(ctx, "/"+service+"/"+method, &emptypb.Empty{}, &emptypb.Empty{}, grpc.Header(&header))
	return Who{first(header, "x-version"), first(header, "x-arm"), first(header, "x-pod")}, err
}

func first(header metadata.MD, name string) string {
	if values := header.Get(name); len(values) > 0 {
		return values[0]
	}
	return ""
}
