package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	// Longer than the queue lets a worker wait for a job.
	queueTimeout = 5 * time.Second
	retryEvery   = 500 * time.Millisecond
)

// worker takes jobs from a queue and does for each what the handler does for a request.
type worker struct {
	url     string
	takers  int
	name    url.Values
	handler *handler
	meters  *jobMeters
	client  *http.Client
	busy    sync.WaitGroup
}

// newWorker is idle for ever, and adds no metrics, in a pod without a queue.
func newWorker(s settings, h *handler) *worker {
	if s.QueueURL == "" {
		return &worker{}
	}
	return &worker{
		url:     s.QueueURL,
		takers:  int(s.QueueWorkers),
		name:    url.Values{"arm": {s.Arm}, "version": {s.Version}},
		handler: h,
		meters:  newJobMeters(h.meters.registry),
		client: &http.Client{
			Timeout:   queueTimeout,
			Transport: &http.Transport{MaxIdleConnsPerHost: int(s.QueueWorkers)},
		},
	}
}

// start takes jobs until the context ends.
func (w *worker) start(stop context.Context) {
	for range w.takers {
		w.busy.Go(func() { w.takeJobs(stop) })
	}
}

// wait is for jobs under way, up to a limit; the queue hands out again what is left then.
func (w *worker) wait(limit time.Duration) {
	done := make(chan struct{})
	go func() {
		w.busy.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(limit):
	}
}

func (w *worker) takeJobs(stop context.Context) {
	reached := true
	for stop.Err() == nil {
		job, err := w.take()
		if err != nil {
			if reached {
				log.Printf("no job to be had, trying on: %v", err)
			}
			reached = false
			select {
			case <-stop.Done():
			case <-time.After(retryEvery):
			}
			continue
		}
		reached = true
		if job != "" {
			w.do(job)
		}
	}
}

// take is not cut off when the pod leaves: a job may be on its way already, and the queue waits a second at most.
func (w *worker) take() (string, error) {
	response, err := w.ask("take", w.name)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusNoContent:
		return "", nil
	case http.StatusOK:
		line, err := bufio.NewReader(response.Body).ReadString('\n')
		return strings.TrimSpace(line), err
	default:
		return "", fmt.Errorf("the queue says %s", response.Status)
	}
}

func (w *worker) do(job string) {
	start := time.Now()
	// A job under way is finished although the pod leaves, so its context is not that of the pod.
	failed := w.handler.work(context.Background(), start) >= http.StatusInternalServerError
	outcome := jobOK
	if failed {
		outcome = jobFailed
	}
	w.meters.observe(outcome, time.Since(start))

	told := url.Values{"job": {job}, "ok": {strconv.FormatBool(!failed)}, "arm": w.name["arm"], "version": w.name["version"]}
	response, err := w.ask("done", told)
	if err != nil {
		log.Printf("job %s is done and will be done again, since the queue was not told: %v", job, err)
		return
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

func (w *worker) ask(what string, query url.Values) (*http.Response, error) {
	return w.client.Post(w.url+what+"?"+query.Encode(), "", nil)
}
