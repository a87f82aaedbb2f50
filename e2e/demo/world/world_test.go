package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func ask(t *testing.T, method, url, text string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, strings.TrimSpace(string(answer))
}

func open(t *testing.T) (us, pods string) {
	t.Helper()
	w := &world{now: surroundings{Slowdown: 1}}
	a, b := httptest.NewServer(w.forUs()), httptest.NewServer(w.forPods())
	t.Cleanup(a.Close)
	t.Cleanup(b.Close)
	return a.URL, b.URL
}

func TestWhatIsSetOnLoopbackIsToldToPods(t *testing.T) {
	us, pods := open(t)
	if _, said := ask(t, "GET", pods, ""); said != `{"slowdown":1,"errors":0}` {
		t.Errorf("at first the world says %s", said)
	}
	if code, said := ask(t, "PUT", us, `{"slowdown": 1.7}`); code != http.StatusNoContent {
		t.Errorf("%d %s", code, said)
	}
	if _, said := ask(t, "GET", pods, ""); said != `{"slowdown":1.7,"errors":0}` {
		t.Errorf("then it says %s", said)
	}
	if _, asked := ask(t, "GET", us+"/asked", ""); asked != "2" {
		t.Errorf("asked %s times", asked)
	}
}

func TestPodsCannotChangeTheWorld(t *testing.T) {
	_, pods := open(t)
	if code, _ := ask(t, "PUT", pods, `{"slowdown": 9}`); code != http.StatusMethodNotAllowed {
		t.Errorf("a PUT at the pods' door got %d", code)
	}
}

func TestNonsenseIsRefusedAndChangesNothing(t *testing.T) {
	us, pods := open(t)
	for _, text := range []string{
		"", "{", `{"slowdown": 0}`, `{"slowdown": 1e3}`, `{"errors": 2}`, `{"slow": 2}`, `{"nodes": {"n1": 0}}`,
	} {
		if code, _ := ask(t, "PUT", us, text); code != http.StatusBadRequest {
			t.Errorf("%q got %d", text, code)
		}
	}
	if _, said := ask(t, "GET", pods, ""); said != `{"slowdown":1,"errors":0}` {
		t.Errorf("the world says %s", said)
	}
}
