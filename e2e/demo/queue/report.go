package main

import (
	"maps"
	"time"
)

// worker is who took a job, as it says itself.
type worker struct{ arm, version string }

// group is what the workers of one arm or version did. Done counts failed jobs too: they are not tried again.
type group struct {
	Done   uint64 `json:"done"`
	Failed uint64 `json:"failed"`
}

func (g group) plus(ok bool) group {
	g.Done++
	if !ok {
		g.Failed++
	}
	return g
}

// sums are counts since the start. Each hand-out ends as done or redelivered, or is under way.
type sums struct {
	Arrived     uint64           `json:"arrived"`
	Refused     uint64           `json:"refused"`
	HandedOut   uint64           `json:"handed_out"`
	Redelivered uint64           `json:"redelivered"`
	Late        uint64           `json:"late"`
	Arms        map[string]group `json:"arms"`
	Versions    map[string]group `json:"versions"`
	group
}

func newSums() sums { return sums{Arms: map[string]group{}, Versions: map[string]group{}} }

func (s *sums) add(ok bool, by worker) {
	s.group = s.group.plus(ok)
	s.Arms[by.arm] = s.Arms[by.arm].plus(ok)
	s.Versions[by.version] = s.Versions[by.version].plus(ok)
}

// report is the JSON that people and tests read. OldestSeconds is the age of the oldest job that is not done.
type report struct {
	sums
	Seconds       float64 `json:"seconds"`
	Waiting       int     `json:"waiting"`
	UnderWay      int     `json:"under_way"`
	OldestSeconds float64 `json:"oldest_seconds"`
}

// report is of one instant: no job moves between two of its counts.
func (q *queue) report(started, now time.Time) report {
	q.lock.Lock()
	defer q.lock.Unlock()
	told := report{
		sums: q.sums, Seconds: now.Sub(started).Seconds(),
		Waiting: len(q.waiting), UnderWay: len(q.underWay),
	}
	told.Arms, told.Versions = maps.Clone(q.sums.Arms), maps.Clone(q.sums.Versions)
	for _, one := range q.waiting {
		told.OldestSeconds = max(told.OldestSeconds, now.Sub(one.arrived).Seconds())
	}
	for _, one := range q.underWay {
		told.OldestSeconds = max(told.OldestSeconds, now.Sub(one.job.arrived).Seconds())
	}
	return told
}
