package main

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func post(t *testing.T, url string) (int, string) {
	t.Helper()
	response, err := http.Post(url, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(text))
}

func told(t *testing.T, url string) report {
	t.Helper()
	response, err := http.Get(url + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var found report
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		t.Fatal(err)
	}
	return found
}

func open(t *testing.T, bound int) (q *queue, us, pods string) {
	t.Helper()
	q = newQueue(bound, 5*time.Second)
	c := &counter{queue: q, started: time.Now()}
	a, b := httptest.NewServer(c.forUs()), httptest.NewServer(c.forPods())
	t.Cleanup(a.Close)
	t.Cleanup(b.Close)
	return q, a.URL, b.URL
}

// balance is what must hold at every instant: each job that arrived is somewhere, and so is each hand-out.
func balance(t *testing.T, r report) {
	t.Helper()
	if r.Arrived != r.Done+uint64(r.Waiting+r.UnderWay) {
		t.Errorf("%d arrived, but %d are done, %d wait and %d are under way", r.Arrived, r.Done, r.Waiting, r.UnderWay)
	}
	if r.HandedOut != r.Done+r.Redelivered+uint64(r.UnderWay) {
		t.Errorf("%d handed out, but %d are done, %d came back and %d are under way", r.HandedOut, r.Done, r.Redelivered, r.UnderWay)
	}
}

func TestJobsAreTakenInOrderAndCountedByWhoDidThem(t *testing.T) {
	q, us, pods := open(t, 10)
	for range 3 {
		q.arrive(time.Now())
	}
	for _, want := range []string{"1", "2"} {
		if code, id := post(t, pods+"/take?arm=canary&version=v3"); code != http.StatusOK || id != want {
			t.Errorf("took %q with %d instead of %s", id, code, want)
		}
	}
	post(t, pods+"/done?job=1&ok=true&arm=canary&version=v3")
	post(t, pods+"/done?job=2&ok=false&arm=stable&version=v1")
	found := told(t, us)
	balance(t, found)
	if found.Done != 2 || found.Failed != 1 || found.Waiting != 1 {
		t.Errorf("the stats are %+v", found)
	}
	if found.Arms["canary"] != (group{1, 0}) || found.Arms["stable"] != (group{1, 1}) || found.Versions["v3"] != (group{1, 0}) {
		t.Errorf("arms %v, versions %v", found.Arms, found.Versions)
	}
}

func TestAnIdleWorkerWaitsForAWhileAndIsTheFirstServed(t *testing.T) {
	q, us, pods := open(t, 10)
	if code, said := post(t, pods+"/take"); code != http.StatusNoContent || said != "" {
		t.Errorf("an empty queue says %d %q", code, said)
	}
	go func() {
		time.Sleep(20 * time.Millisecond)
		q.arrive(time.Now())
	}()
	if code, id := post(t, pods+"/take"); code != http.StatusOK || id != "1" {
		t.Errorf("the job that came meanwhile was answered with %d %q", code, id)
	}
	balance(t, told(t, us))
}

func TestIdleWorkersAreServedInTurn(t *testing.T) {
	q := newQueue(10, time.Second)
	first, second := make(chan job, 1), make(chan job, 1)
	q.takers = []chan job{first, second}
	q.arrive(time.Now())
	q.arrive(time.Now())
	if a, b := <-first, <-second; a.id != 1 || b.id != 2 {
		t.Errorf("the first got job %d, the second %d", a.id, b.id)
	}
}

func TestAJobThatIsNotAcknowledgedIsHandedOutAgainBeforeYoungerOnes(t *testing.T) {
	q := newQueue(10, 5*time.Second)
	born := time.Now()
	q.arrive(born)
	q.take(context.Background(), time.Second)
	q.arrive(born)
	q.expire(born.Add(4 * time.Second))
	if found := q.report(born, born); found.Redelivered != 0 {
		t.Errorf("redelivered before its time: %+v", found)
	}
	q.expire(born.Add(6 * time.Second))
	taken, _ := q.take(context.Background(), time.Second)
	if taken.id != 1 || !q.finish(1, true, worker{}) {
		t.Errorf("job %d came next", taken.id)
	}
	found := q.report(born, born.Add(7*time.Second))
	balance(t, found)
	if found.Redelivered != 1 || found.OldestSeconds != 7 {
		t.Errorf("the stats are %+v", found)
	}
}

func TestAJobCountsOnceHoweverOftenItIsAcknowledged(t *testing.T) {
	q, us, pods := open(t, 10)
	q.arrive(time.Now())
	post(t, pods+"/take")
	for _, want := range []int{http.StatusNoContent, http.StatusGone} {
		if code, said := post(t, pods+"/done?job=1&ok=true"); code != want {
			t.Errorf("got %d %s instead of %d", code, said, want)
		}
	}
	if found := told(t, us); found.Done != 1 || found.Late != 1 {
		t.Errorf("the stats are %+v", found)
	}
}

func TestAWorkerThatHangsUpLeavesNoJobBehind(t *testing.T) {
	q := newQueue(10, time.Hour)
	gone, hangUp := context.WithCancel(context.Background())
	hangUp()
	q.arrive(time.Now())
	// Which of the two ready cases is chosen is chance; in both the job must stay known.
	if taken, some := q.take(gone, time.Second); some && taken.id != 1 {
		t.Errorf("took %d", taken.id)
	}
	q.take(gone, time.Second)
	balance(t, q.report(time.Now(), time.Now()))
	if len(q.takers) != 0 {
		t.Error("who hung up is still in line")
	}
}

func TestAFullQueueRefusesNewJobsAndKeepsThoseThatComeBack(t *testing.T) {
	q := newQueue(2, time.Second)
	now := time.Now()
	q.arrive(now)
	q.take(context.Background(), time.Second)
	for range 3 {
		q.arrive(now)
	}
	q.expire(now.Add(time.Minute))
	found := q.report(now, now)
	balance(t, found)
	if found.Refused != 1 || found.Waiting != 3 {
		t.Errorf("the stats are %+v", found)
	}
}

func TestNoJobIsLostWithManyWorkersOfWhomSomeDie(t *testing.T) {
	q := newQueue(1000, 30*time.Millisecond)
	enough, stop := context.WithCancel(context.Background())
	go watch(enough, q)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for enough.Err() == nil {
				if taken, some := q.take(enough, 10*time.Millisecond); some && rand.Float64() < .9 {
					q.finish(taken.id, true, worker{arm: "stable"})
				}
			}
		})
	}
	for range 500 {
		q.arrive(time.Now())
		balance(t, q.report(time.Now(), time.Now()))
	}
	found := report{}
	for range 500 {
		if found = q.report(time.Now(), time.Now()); found.Done == 500 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	workers.Wait()
	balance(t, found)
	if found.Done != 500 || found.Redelivered == 0 {
		t.Errorf("the stats are %+v", found)
	}
}

func TestJobsArriveAtRandomTimesAtTheAskedRate(t *testing.T) {
	q := newQueue(10000, time.Second)
	brief, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	bring(brief, q, 400, rand.New(rand.NewPCG(7, 0)))
	// Four standard deviations of a Poisson count.
	if came := float64(q.report(time.Now(), time.Now()).Arrived); math.Abs(came-400) > 80 {
		t.Errorf("%g jobs came within a second at 400 a second", came)
	}
}

func TestNonsenseIsRefusedAndPodsCannotLookIn(t *testing.T) {
	_, us, pods := open(t, 10)
	for _, query := range []string{"", "?job=x&ok=true", "?job=1", "?job=1&ok=perhaps"} {
		if code, said := post(t, pods+"/done"+query); code != http.StatusBadRequest {
			t.Errorf("%q got %d %s", query, code, said)
		}
	}
	response, err := http.Get(pods + "/stats")
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("stats at the pods' door: %d", response.StatusCode)
	}
	if found := told(t, us); found.Late != 0 {
		t.Errorf("the stats are %+v", found)
	}
}

func TestRateTimeAndSizeAreBounded(t *testing.T) {
	if _, err := readOrder([]string{"-rate", "500", "-duration", "4h", "-again", "5m", "-pods", "10.97.0.11:18901"}); err != nil {
		t.Error(err)
	}
	for _, arguments := range [][]string{
		{"-rate", "0"}, {"-rate", "NaN"}, {"-rate", "501"}, {"-duration", "5h"}, {"-duration", "0s"},
		{"-again", "1ms"}, {"-bound", "0"}, {"-control", "10.97.0.11:18901"},
	} {
		if _, err := readOrder(arguments); err == nil {
			t.Errorf("%v was accepted", arguments)
		}
	}
}

func TestItEndsByItself(t *testing.T) {
	o, err := readOrder([]string{"-control", "127.0.0.1:0", "-duration", "50ms"})
	if err != nil {
		t.Fatal(err)
	}
	if err := run(o); err != nil {
		t.Error(err)
	}
}
