// Package noise draws the disturbances that the demo brings in on purpose.
//
// A quiet machine proves nothing about false reverts. Every draw here is a pure
// function of a seed, names and the time, so that pods of one node (or of the
// whole service) feel the same disturbance without talking to each other, and
// a disturbance can be computed again after the fact.
package noise

import (
	"hash/fnv"
	"math"
)

// Source is an endless table of random numbers, looked up by index.
type Source struct{ key uint64 }

// NewSource opens the table that belongs to a seed and names.
func NewSource(seed string, names ...string) Source {
	h := fnv.New64a()
	h.Write([]byte(seed))
	for _, name := range names {
		// The separator keeps ("ab","c") and ("a","bc") apart.
		h.Write([]byte{0})
		h.Write([]byte(name))
	}
	return Source{key: mix(h.Sum64())}
}

// Uniform is the i-th number, in (0, 1).
func (s Source) Uniform(i int64) float64 {
	return unit(mix(s.key + uint64(i)*golden))
}

// Normal is the i-th number, standard Gaussian.
func (s Source) Normal(i int64) float64 {
	first := mix(s.key + uint64(i)*golden)
	second := mix(first ^ golden)
	return math.Sqrt(-2*math.Log(unit(first))) * math.Cos(2*math.Pi*unit(second))
}

const golden = 0x9E3779B97F4A7C15

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xBF58476D1CE4E5B9
	x ^= x >> 27
	x *= 0x94D049BB133111EB
	return x ^ x>>31
}

func unit(x uint64) float64 { return (float64(x>>11) + .5) / (1 << 53) }
