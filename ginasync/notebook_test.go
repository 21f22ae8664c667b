package ginasync_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
)

// remoteStore is a store that does not say that it is local.
type remoteStore struct{ store.Store }

func newRemoteStore() store.Store { return remoteStore{memstore.New()} }

// notebook is a store outside of the process that writes down all it is given.
type notebook struct {
	store.Store
	mu    sync.Mutex
	notes bytes.Buffer
}

func newNotebook() *notebook { return &notebook{Store: memstore.New()} }

// note writes bytes and strings as they are, and whatever holds them by its fields.
func (n *notebook) note(values ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, value := range values {
		switch value := value.(type) {
		case []byte:
			n.notes.Write(value)
		default:
			fmt.Fprintf(&n.notes, "\n%+v\n", value)
		}
	}
}

func (n *notebook) text() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.notes.String()
}

func (n *notebook) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	n.note(job.Request, job.Envelope)
	without := job
	without.Request, without.Envelope = nil, nil
	n.note(without)
	return n.Store.Create(ctx, job)
}

func (n *notebook) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	session, err := n.Store.Join(ctx, worker, lease)
	return &notebookSession{session, n}, err
}

type notebookSession struct {
	store.Session
	*notebook
}

func (s *notebookSession) Settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	s.note(outcome.State(), outcome.Problem())
	if result := outcome.Result(); result != nil {
		s.note(result.Data, result.Response)
	}
	return s.Session.Settle(ctx, ref, outcome)
}

func (s *notebookSession) Report(ctx context.Context, ref store.Ref, progress store.Progress) error {
	s.note(progress)
	return s.Session.Report(ctx, ref, progress)
}

// logbook keeps what is logged.
type logbook struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

func (l *logbook) option() ginasync.Option {
	return ginasync.WithLogger(slog.New(slog.NewTextHandler(l, nil)))
}

// with returns the lines that have the text in them.
func (l *logbook) with(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for line := range strings.Lines(l.lines.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// key makes a key of 32 bytes.
func key(n byte) []byte {
	k := make([]byte, 32)
	for i := range k {
		k[i] = n + byte(i*i)
	}
	return k
}

func engine(routes func(r *gin.Engine)) *gin.Engine {
	r := gin.New()
	routes(r)
	return r
}
