package chaos_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
)

// register is what clients know of the jobs of a test: those that were accepted, and how
// each was seen first when it was over. It is safe for concurrent use.
type register struct {
	fleet *fleet

	mu       sync.Mutex
	accepted []string
	unknown  []error // why the answer to a submission was lost
	ends     map[string]sighting
	errs     []error // what no client should see
}

// sighting is a job that is over as a client sees it.
type sighting struct {
	status ginasync.Status
	answer string
}

func newRegister(f *fleet) *register {
	return &register{fleet: f, ends: make(map[string]sighting)}
}

// path returns the URL that submits the order.
func (o order) path() string {
	query := url.Values{"takes": {o.Takes.String()}, "again": {o.Again.String()}}
	query.Set("stubborn", fmt.Sprint(o.Stubborn))
	query.Set("reports", fmt.Sprint(o.Reports))
	return "/work?" + query.Encode()
}

// submit sends a request and reports whether it was accepted. An answer that was lost
// with its process leaves open whether there is a job; no client counts on that one.
func (r *register) submit(path string) (id string, accepted bool) {
	code, body, err := r.fleet.ask(http.MethodPost, path)
	var status ginasync.Status
	if err == nil && code != http.StatusAccepted {
		r.note(fmt.Errorf("POST %s: %d %s", path, code, body))
		return "", false
	}
	if err == nil {
		err = json.Unmarshal(body, &status)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.unknown = append(r.unknown, err)
		return "", false
	}
	r.accepted = append(r.accepted, status.ID)
	return status.ID, true
}

// mustSubmit submits orders that all have to be accepted.
func (r *register) mustSubmit(t *testing.T, n int, o order) []string {
	t.Helper()
	var ids []string
	for range n {
		id, accepted := r.submit(o.path())
		require.True(t, accepted, r.errs)
		ids = append(ids, id)
	}
	return ids
}

func (r *register) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errs = append(r.errs, err)
}

// load submits n orders from some goroutines, as many in each second. The function it
// returns waits until that many are accepted.
func (r *register) load(n, perSecond int, next func() order) (wait func()) {
	const goroutines = 8
	var crew sync.WaitGroup
	for range goroutines {
		crew.Go(func() {
			tick := time.NewTicker(goroutines * time.Second / time.Duration(perSecond))
			defer tick.Stop()
			for range n / goroutines {
				for accepted := false; !accepted; _, accepted = r.submit(next().path()) {
					<-tick.C
				}
			}
		})
	}
	return crew.Wait
}

// see asks for a job and, if it is over, for its answer.
func (r *register) see(id string) (s sighting, over bool, err error) {
	code, body, err := r.fleet.ask(http.MethodGet, "/jobs/"+id)
	if err != nil {
		return s, false, err
	}
	if code != http.StatusOK {
		return s, false, fmt.Errorf("%w: job %s: %d %s", errSight, id, code, body)
	}
	if err := json.Unmarshal(body, &s.status); err != nil || !s.status.Done {
		return s, false, err
	}
	code, body, err = r.fleet.ask(http.MethodGet, "/jobs/"+id+"/result")
	if err == nil && s.status.State == store.Completed && code != http.StatusOK {
		err = fmt.Errorf("%w: result of job %s: %d %s", errSight, id, code, body)
	}
	s.answer = string(body)
	return s, err == nil, err
}

// errSight is an answer that no client should get.
var errSight = errors.New("unexpected answer")

// watch looks at the jobs that are not over again and again until the test ends, so
// that it sees each soon after its end.
func (r *register) watch(t *testing.T) {
	t.Helper()
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			r.lookAtOpen()
			select {
			case <-tick.C:
			case <-ended:
				return
			}
		}
	})
	t.Cleanup(func() {
		close(ended)
		watching.Wait()
	})
}

// lookAtOpen looks at the jobs that were not seen to be over.
func (r *register) lookAtOpen() {
	for _, id := range r.open() {
		s, over, err := r.see(id)
		switch {
		case errors.Is(err, errSight):
			r.note(err)
		case over:
			r.mu.Lock()
			r.ends[id] = s
			r.mu.Unlock()
		}
	}
}

func (r *register) open() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var open []string
	for _, id := range r.accepted {
		if _, over := r.ends[id]; !over {
			open = append(open, id)
		}
	}
	return open
}

// mustEnd waits until all jobs were seen to be over.
func (r *register) mustEnd(t *testing.T) {
	t.Helper()
	waitFor(t, func() error {
		if open := r.open(); len(open) > 0 {
			r.lookAtOpen()
			return fmt.Errorf("%d of %d jobs are not over, such as %s", len(open), len(r.accepted), open[0])
		}
		return nil
	})
}
