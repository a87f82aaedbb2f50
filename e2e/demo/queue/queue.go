package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// job is one piece of work; it says nothing but that it has to be done.
type job struct {
	id      uint64
	arrived time.Time
}

// delivery is a job that somebody works at, until its acknowledgement is due.
type delivery struct {
	job job
	due time.Time
}

// queue keeps every job that arrived until it is acknowledged: waiting in order of arrival, or under way.
type queue struct {
	bound int
	again time.Duration

	lock     sync.Mutex
	last     uint64
	waiting  []job
	takers   []chan job
	underWay map[uint64]delivery
	sums     sums
}

// newQueue holds `bound` waiting jobs at most and hands out again what is not acknowledged after `again`.
func newQueue(bound int, again time.Duration) *queue {
	return &queue{bound: bound, again: again, underWay: map[uint64]delivery{}, sums: newSums()}
}

// arrive brings one job. One that finds the queue full is refused, as real queues do.
func (q *queue) arrive(now time.Time) {
	q.lock.Lock()
	defer q.lock.Unlock()
	if len(q.waiting) >= q.bound {
		q.sums.Refused++
		return
	}
	q.last++
	q.sums.Arrived++
	q.waiting = append(q.waiting, job{id: q.last, arrived: now})
	q.serve(now)
}

// serve gives waiting jobs to the takers that have waited longest, so that idle ones get equal shares.
func (q *queue) serve(now time.Time) {
	n := min(len(q.waiting), len(q.takers))
	for i, taken := range q.waiting[:n] {
		q.underWay[taken.id] = delivery{job: taken, due: now.Add(q.again)}
		q.takers[i] <- taken
	}
	q.sums.HandedOut += uint64(n)
	q.waiting = slices.Delete(q.waiting, 0, n)
	q.takers = slices.Delete(q.takers, 0, n)
}

// take waits for a job, until `wait` is over or the context ends; false without one.
func (q *queue) take(ctx context.Context, wait time.Duration) (job, bool) {
	// With room for the one job that it may get, serve never waits for a taker that is about to leave.
	handed := make(chan job, 1)
	q.lock.Lock()
	q.takers = append(q.takers, handed)
	q.serve(time.Now())
	q.lock.Unlock()

	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case taken := <-handed:
		return taken, true
	case <-timer.C:
	case <-ctx.Done():
	}
	return q.leave(ctx, handed)
}

// leave ends a wait. A job that came in this very moment is taken, or put back if nobody listens any more.
func (q *queue) leave(ctx context.Context, handed chan job) (job, bool) {
	q.lock.Lock()
	defer q.lock.Unlock()
	if at := slices.Index(q.takers, handed); at >= 0 {
		q.takers = slices.Delete(q.takers, at, at+1)
		return job{}, false
	}
	taken := <-handed
	if ctx.Err() == nil {
		return taken, true
	}
	q.putBack(time.Now(), taken)
	return job{}, false
}

// finish acknowledges a job; false if it is not under way, because it was handed out again or is done.
func (q *queue) finish(id uint64, ok bool, by worker) bool {
	q.lock.Lock()
	defer q.lock.Unlock()
	if _, known := q.underWay[id]; !known {
		q.sums.Late++
		return false
	}
	delete(q.underWay, id)
	q.sums.add(ok, by)
	return true
}

// expire puts back what is overdue: whoever took it may be dead.
func (q *queue) expire(now time.Time) {
	q.lock.Lock()
	defer q.lock.Unlock()
	var overdue []job
	for _, one := range q.underWay {
		if now.After(one.due) {
			overdue = append(overdue, one.job)
		}
	}
	q.putBack(now, overdue...)
}

// putBack restores the order of arrival; the bound is for new jobs only, or a taken one could be lost.
func (q *queue) putBack(now time.Time, jobs ...job) {
	for _, one := range jobs {
		delete(q.underWay, one.id)
	}
	q.sums.Redelivered += uint64(len(jobs))
	q.waiting = append(q.waiting, jobs...)
	slices.SortFunc(q.waiting, func(a, b job) int { return cmp.Compare(a.id, b.id) })
	q.serve(now)
}
