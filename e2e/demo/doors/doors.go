// Package doors opens what the demo keeps on this machine: one door on loopback,
// where scenarios steer and look, and one on a private address, where pods come in.
package doors

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// Check refuses every address but loopback for us and a private one for pods, which may be "".
func Check(control, pods string) error {
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

// Serve answers at every address by its handler until the context ends.
func Serve(until context.Context, handlers map[string]http.Handler) error {
	failed := make(chan error, len(handlers))
	for address, handler := range handlers {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			return err
		}
		server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
		go func() { failed <- server.Serve(listener) }()
	}
	fmt.Println("ready")
	select {
	case err := <-failed:
		return err
	case <-until.Done():
		return nil
	}
}
