package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// jobs is a queue of a few jobs that keeps what it is told of each.
type jobs struct {
	left   atomic.Int64
	taken  chan url.Values
	done   chan url.Values
	before func()
}

func newJobs(n int) *jobs {
	j := &jobs{taken: make(chan url.Values, 1000), done: make(chan url.Values, 1000), before: func() {}}
	j.left.Store(int64(n))
	return j
}

func (j *jobs) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	if in.Method != http.MethodPost {
		http.Error(out, "only POST", http.StatusMethodNotAllowed)
		return
	}
	if in.URL.Path == "/done" {
		j.done <- in.URL.Query()
		return
	}
	left := j.left.Add(-1)
	if left < 0 {
		time.Sleep(5 * time.Millisecond)
		out.WriteHeader(http.StatusNoContent)
		return
	}
	j.before()
	j.taken <- in.URL.Query()
	fmt.Fprintln(out, left+1)
}

// working is a pod that takes from the queue until it is told to leave.
func working(t *testing.T, queue http.Handler, env map[string]string) (page string, w *worker, leave func()) {
	t.Helper()
	server := httptest.NewServer(queue)
	t.Cleanup(server.Close)
	env["QUEUE_URL"] = server.URL
	pod, h := serving(t, env)
	w = newWorker(h.settings, h)
	stop, leave := context.WithCancel(context.Background())
	w.start(stop)
	t.Cleanup(func() {
		leave()
		w.wait(5 * time.Second)
	})
	return pod.URL + "/metrics", w, leave
}

func TestAWorkerDoesJobsAndMeasuresThemUnderItsOwnNames(t *testing.T) {
	queue := newJobs(3)
	page, _, _ := working(t, queue, map[string]string{"MEDIAN_MS": "1", "BASE_ERRORS": "0", "ARM": "canary", "VERSION": "v3"})
	told := map[string]bool{}
	for range 3 {
		done := <-queue.done
		told[done.Get("job")] = true
		if done.Get("ok") != "true" || done.Get("arm") != "canary" || done.Get("version") != "v3" {
			t.Errorf("the queue is told %v", done)
		}
	}
	if len(told) != 3 {
		t.Errorf("acknowledged were %v", told)
	}
	if taken := <-queue.taken; taken.Get("arm") != "canary" || taken.Get("version") != "v3" {
		t.Errorf("a worker takes as %v", taken)
	}
	_, said := get(t, page)
	for _, want := range []string{`jobs_total{outcome="ok"} 3`, `jobs_total{outcome="failed"} 0`, "job_duration_seconds_count 3"} {
		if !strings.Contains(said, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if strings.Contains(said, "http_server_request") {
		t.Error("a job was counted as a request")
	}
}

func TestAJobFailsAsARequestWould(t *testing.T) {
	queue := newJobs(1)
	page, _, _ := working(t, queue, map[string]string{"MEDIAN_MS": "1", "ERROR_SHARE": "1"})
	if done := <-queue.done; done.Get("ok") != "false" {
		t.Errorf("the queue is told %v", done)
	}
	if _, said := get(t, page); !strings.Contains(said, `jobs_total{outcome="failed"} 1`) {
		t.Error("the failure is not counted")
	}
}

func TestAJobTakesAsLongAsARequestWould(t *testing.T) {
	queue := newJobs(1)
	page, _, _ := working(t, queue, map[string]string{"MEDIAN_MS": "30", "SPREAD": "0", "LATENCY_FACTOR": "2"})
	<-queue.done
	_, said := get(t, page)
	for _, want := range []string{`job_duration_seconds_bucket{le="0.05"} 0`, `job_duration_seconds_count 1`} {
		if !strings.Contains(said, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

func TestAPodTakesAsManyJobsAtOnceAsItHasWorkers(t *testing.T) {
	queue := newJobs(10)
	working(t, queue, map[string]string{"MEDIAN_MS": "1000", "SPREAD": "0", "QUEUE_WORKERS": "3"})
	for range 3 {
		<-queue.taken
	}
	select {
	case <-queue.taken:
		t.Error("a fourth job was taken by three workers")
	case <-time.After(50 * time.Millisecond):
	}
}

func TestALeavingPodFinishesItsJobsAndTakesNoMore(t *testing.T) {
	queue := newJobs(100)
	_, w, leave := working(t, queue, map[string]string{"MEDIAN_MS": "60", "SPREAD": "0"})
	<-queue.taken
	<-queue.taken
	leave()
	w.wait(5 * time.Second)
	if more, done := len(queue.taken), len(queue.done); more != 0 || done != 2 {
		t.Errorf("%d jobs of 2 were finished, %d more taken", done, more)
	}
}

func TestAJobThatIsHandedOutWhileThePodLeavesIsDone(t *testing.T) {
	queue := newJobs(1)
	asked, answer := make(chan struct{}), make(chan struct{})
	queue.before = func() {
		close(asked)
		<-answer
	}
	_, w, leave := working(t, queue, map[string]string{"MEDIAN_MS": "1", "QUEUE_WORKERS": "1"})
	<-asked
	leave()
	close(answer)
	w.wait(5 * time.Second)
	if len(queue.done) != 1 {
		t.Error("the queue thinks that the job is under way, and nobody does it")
	}
}

func TestAWorkerOutlivesAQueueThatBreaks(t *testing.T) {
	queue, broken := newJobs(1), atomic.Bool{}
	broken.Store(true)
	working(t, http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		if broken.Swap(false) {
			http.Error(out, "not yet", http.StatusServiceUnavailable)
			return
		}
		queue.ServeHTTP(out, in)
	}), map[string]string{"MEDIAN_MS": "1"})
	<-queue.done
}

func TestAPodWithoutAQueueKnowsOfNoJobs(t *testing.T) {
	server, h := serving(t, nil)
	w := newWorker(h.settings, h)
	w.start(context.Background())
	w.wait(time.Second)
	if _, said := get(t, server.URL+"/metrics"); strings.Contains(said, "job") {
		t.Error("/metrics tells of jobs")
	}
}
