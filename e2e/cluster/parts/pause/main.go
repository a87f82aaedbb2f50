// Command pause holds a pod's namespaces open and ends when it is told to.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	over := make(chan os.Signal, 1)
	signal.Notify(over, syscall.SIGINT, syscall.SIGTERM)
	<-over
}
