package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

const (
	answerWithin = 10 * time.Second
	// Idle connections kept; more than that are ever needed only while the service stalls.
	pool = 128
)

// checkTarget refuses everything but this machine and the ranges of a cluster on it.
func checkTarget(address string, ranges []netip.Prefix) error {
	parsed, err := url.Parse(address)
	if err != nil || parsed.Scheme != "http" || parsed.Host == "" {
		return fmt.Errorf("-url is %q; give an address such as http://127.0.0.1:8000", address)
	}
	// Names are refused, since who answers for one may change between the check and the load.
	ip, err := netip.ParseAddr(parsed.Hostname())
	if err != nil {
		return fmt.Errorf("-url names the host %q; give the address of the gateway, such as 127.0.0.1", parsed.Hostname())
	}
	if ip.IsLoopback() {
		return nil
	}
	for _, allowed := range ranges {
		if allowed.Contains(ip) {
			return nil
		}
	}
	return fmt.Errorf("-url is %s, neither loopback nor in a range given by -cluster; load goes to our own cluster only", ip)
}

func parseRange(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	if err != nil || !prefix.Addr().IsPrivate() || prefix.Bits() < 8 {
		return netip.Prefix{}, fmt.Errorf("%q is no private range; give one such as 10.97.0.0/16", text)
	}
	return prefix, nil
}

// targeter picks one of the paths at random for each request.
func targeter(address, host string, paths []string) vegeta.Targeter {
	header := http.Header{"Host": []string{host}}
	return func(target *vegeta.Target) error {
		target.Method = http.MethodGet
		target.URL = address + paths[rand.IntN(len(paths))]
		target.Header = header
		return nil
	}
}

// client follows no redirect and no proxy: both would carry the load elsewhere.
func client(fresh bool) *http.Client {
	return &http.Client{
		Timeout: answerWithin,
		Transport: &http.Transport{
			Proxy:               nil,
			DialContext:         (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
			MaxIdleConns:        pool,
			MaxIdleConnsPerHost: pool,
			IdleConnTimeout:     time.Minute,
			DisableCompression:  true,
			DisableKeepAlives:   fresh,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
