package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// buckets are log-spaced from 2 ms to 5 s, 1.4 apart. The mean of log latency is
// read from bucket midpoints, and finer buckets bias it less: with the 14 default
// ones of OpenTelemetry a true +24.2% was read as +25.3%, with finer ones as +24.5%.
// 5, 10, 50, 100, 500 ms and 1 s are edges, to be named in `over`.
var buckets = []float64{
	.002, .0026, .0036, .005, .007, .01, .014, .019, .026, .036, .05, .07,
	.1, .14, .19, .26, .36, .5, .7, 1, 1.4, 1.9, 2.6, 3.6, 5,
}

// meters count what users of the service see, and what it asks of others; the CPU it uses comes from
// the process collector.
type meters struct {
	registry   *prometheus.Registry
	duration   *prometheus.HistogramVec
	requests   *prometheus.CounterVec
	downstream *prometheus.CounterVec
}

func newMeters(b *behaviour) *meters {
	labels := []string{"code", "route"}
	m := &meters{
		registry: prometheus.NewRegistry(),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "http_server_request_duration_seconds",
			Help:    "Time from the first byte of a request to its answer.",
			Buckets: buckets,
		}, labels),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "http_server_requests_total",
			Help: "Requests answered.",
		}, labels),
		downstream: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "downstream_requests_total",
			Help: "Requests made to the backend, by the code of its answer; none where there was none.",
		}, []string{"code"}),
	}
	m.registry.MustRegister(m.duration, m.requests, m.downstream, truth{b},
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *meters) observe(route string, code int, took time.Duration) {
	text := strconv.Itoa(code)
	m.duration.WithLabelValues(text, route).Observe(took.Seconds())
	m.requests.WithLabelValues(text, route).Inc()
}

func (m *meters) page() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// jobMeters count what a worker does. Their names are its own: no request of anybody stands behind a job.
type jobMeters struct {
	duration prometheus.Histogram
	jobs     *prometheus.CounterVec
}

const (
	jobOK     = "ok"
	jobFailed = "failed"
)

// newJobMeters adds to the page of a pod that is a worker; others do not know of jobs.
func newJobMeters(registry *prometheus.Registry) *jobMeters {
	m := &jobMeters{
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "job_duration_seconds",
			Help:    "Time from taking a job to its end.",
			Buckets: buckets,
		}),
		jobs: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "jobs_total",
			Help: "Jobs ended.",
		}, []string{"outcome"}),
	}
	// A series that begins with its first job would hide that job from a rate.
	for _, outcome := range []string{jobOK, jobFailed} {
		m.jobs.WithLabelValues(outcome)
	}
	registry.MustRegister(m.duration, m.jobs)
	return m
}

func (m *jobMeters) observe(outcome string, took time.Duration) {
	m.duration.Observe(took.Seconds())
	m.jobs.WithLabelValues(outcome).Inc()
}

// truth publishes what was really done to latency, so that a verdict can be checked.
type truth struct{ behaviour *behaviour }

var offsetDesc = prometheus.NewDesc("demo_log_latency_offset",
	"Shift of mean log latency in force, by cause.", []string{"cause"}, nil)

func (truth) Describe(out chan<- *prometheus.Desc) { out <- offsetDesc }

func (t truth) Collect(out chan<- prometheus.Metric) {
	for cause, offset := range t.behaviour.offsets(time.Now()) {
		out <- prometheus.MustNewConstMetric(offsetDesc, prometheus.GaugeValue, offset, cause)
	}
}
