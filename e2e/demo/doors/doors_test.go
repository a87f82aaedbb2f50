package doors

import "testing"

func TestTheDoorsAreLoopbackAndPrivate(t *testing.T) {
	for _, good := range [][2]string{{"127.0.0.1:1", ""}, {"127.0.0.1:1", "10.97.0.11:1"}, {"[::1]:1", "127.0.0.2:1"}} {
		if err := Check(good[0], good[1]); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range [][2]string{{"0.0.0.0:1", ""}, {"10.97.0.11:1", ""}, {"127.0.0.1:1", "0.0.0.0:1"}, {"127.0.0.1:1", "192.0.2.1:1"}, {"localhost:1", ""}} {
		if Check(bad[0], bad[1]) == nil {
			t.Errorf("%v was accepted", bad)
		}
	}
}
