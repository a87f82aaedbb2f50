package main

import (
	"strconv"
	"strings"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"causalrollouts.dev/demo/calls"
)

// request sends HTTP requests until the pacer ends or `halt`.
func request(o order, pacer *arrivals) (answers <-chan answer, halt func()) {
	attacker := vegeta.NewAttacker(vegeta.Client(client(o.fresh)), vegeta.Workers(min(16, o.workers)), vegeta.MaxWorkers(o.workers), vegeta.MaxBody(0))
	results := attacker.Attack(targeter(o.url, o.host, o.paths), pacer, o.duration, "")
	given := make(chan answer)
	go func() {
		defer close(given)
		for result := range results {
			given <- requested(result)
		}
	}()
	return given, func() { attacker.Stop() }
}

func requested(result *vegeta.Result) answer {
	if result.Code == 0 {
		return answer{unserved: reason(result.Error)}
	}
	return answer{
		code:    strconv.Itoa(int(result.Code)),
		failed:  result.Code >= 500,
		latency: result.Latency,
		who: calls.Who{
			Version: result.Headers.Get("X-Version"), Arm: result.Headers.Get("X-Arm"), Pod: result.Headers.Get("X-Pod"),
		},
	}
}

// reason keeps the kind of a failure and drops its ports, which would make each one a kind of its own.
func reason(text string) string {
	for _, kind := range []string{"connection refused", "connection reset", "Timeout exceeded", "EOF"} {
		if strings.Contains(text, kind) {
			return kind
		}
	}
	return "other"
}
