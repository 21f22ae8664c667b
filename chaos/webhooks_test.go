package chaos_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/ginasync/webhook"
	"github.com/asyncendpoints/gin-async/internal/redistest"
)

// hookSecret signs what worker processes tell.
const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// TestEachEndIsToldThoughProcessesAreKilled: an accepted job has an event, whichever
// process died at whichever moment.
func TestEachEndIsToldThoughProcessesAreKilled(t *testing.T) {
	jobs, kills := either(400, 2000), either(6, 30)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))

	hook := newHook(t)
	server := redistest.Start(t)
	f := newFleet(t, processConfig{
		Redis: server.Addr(), Lease: 2 * time.Second, Grace: 10 * time.Second, Concurrency: 200, Hook: hook.addr,
	})
	for range 3 {
		f.start(t)
	}
	r := newRegister(f)
	wait := r.load(jobs, 60, someWork)
	f.killOneAfterAnother(t, random, kills)
	wait()
	r.mustEnd(t)
	require.Empty(t, r.errs)
	waitFor(t, func() error { return hook.missing(r.accepted) })

	hook.mu.Lock()
	defer hook.mu.Unlock()
	again := 0
	for _, id := range r.accepted {
		messages := hook.told[id]
		require.Len(t, messages, 1, "%s: every delivery of an event has the same id", id)
		for _, m := range messages {
			assert.Equal(t, r.ends[id].status.State, m.status.State)
			assert.Equal(t, r.ends[id].status.Version, m.status.Version)
			again += m.times - 1
		}
	}
	t.Logf("%d jobs accepted and told; %d messages came again; %d were refused at first", len(r.accepted), again, hook.refused)
}

// hook is the receiver. It refuses the message about one job in twenty once: the third
// delivery would come minutes later.
type hook struct {
	t    *testing.T
	addr string

	mu      sync.Mutex
	told    map[string]map[string]*told // by job, then by message
	refused int
	again   map[string]bool // jobs whose message was refused
}

type told struct {
	status ginasync.Status
	times  int
}

func newHook(t *testing.T) *hook {
	t.Helper()
	h := &hook{t: t, told: make(map[string]map[string]*told), again: make(map[string]bool)}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.addr = strings.TrimPrefix(server.URL, "http://")
	return h
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil { // the sender was killed
		return
	}
	secret, err := webhook.ParseSecret(hookSecret)
	assert.NoError(h.t, err)
	assert.NoError(h.t, webhook.Verify(r.Header, body, secret))
	var event webhook.Event
	var status ginasync.Status
	assert.NoError(h.t, json.Unmarshal(body, &event))
	assert.NoError(h.t, json.Unmarshal(event.Data, &status))
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.again[status.ID] && rand.IntN(20) == 0 {
		h.again[status.ID] = true
		h.refused++
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	messages := h.told[status.ID]
	if messages == nil {
		messages = make(map[string]*told)
		h.told[status.ID] = messages
	}
	if messages[webhook.ID(r.Header)] == nil {
		messages[webhook.ID(r.Header)] = &told{status: status}
	}
	messages[webhook.ID(r.Header)].times++
}

// missing returns an error that names a job that was not told.
func (h *hook) missing(ids []string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var missing []string
	for _, id := range ids {
		if len(h.told[id]) == 0 {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("%d of %d jobs were not told, such as %s", len(missing), len(ids), missing[0])
	}
	return nil
}
