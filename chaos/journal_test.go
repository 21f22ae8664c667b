package chaos_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// journal is a file in which a worker process notes each start and each end of a run.
// Whatever was noted stays when the process is killed: the system has it.
type journal struct{ file *os.File }

// journalEntry is one line of a journal.
type journalEntry struct {
	Event   string    `json:"event"` // began or ended
	Job     string    `json:"job"`
	Attempt int       `json:"attempt"`
	Process string    `json:"process"`
	PID     int       `json:"pid"`
	Nonce   string    `json:"nonce"` // of the run, and what the handler answers
	At      time.Time `json:"at"`
	Cause   string    `json:"cause,omitempty"`  // why the context of the attempt was done
	Report  string    `json:"report,omitempty"` // what came of a report of progress at the end
}

const journalSuffix = ".journal"

func openJournal(dir, process string) (*journal, error) {
	name := filepath.Join(dir, process+journalSuffix)
	file, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	return &journal{file}, err
}

// write notes an entry in one call, so that entries of several goroutines do not mix.
func (j *journal) write(entry journalEntry) error {
	line, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	_, err = j.file.Write(append(line, '\n'))
	return err
}

// causeName says in one word why an attempt was stopped.
func causeName(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, store.ErrLeaseLost):
		return causeLost
	case errors.Is(err, worker.ErrShutdown):
		return causeShutdown
	case errors.Is(err, context.Canceled):
		return "over"
	default:
		return fmt.Sprintf("unexpected: %v", err)
	}
}

const (
	causeLost     = "lost"
	causeShutdown = "shutdown"
)

// processRun is one run of a handler in a worker process.
type processRun struct {
	job, process, nonce string
	attempt             int
	began               time.Time
	ended               time.Time // zero: it never did
	cause, report       string
}

func (r processRun) String() string {
	const clock = "15:04:05.000"
	end := "never ended"
	if !r.ended.IsZero() {
		end = "ended " + r.ended.Format(clock)
	}
	if r.cause != "" {
		end += ", stopped: " + r.cause
	}
	return fmt.Sprintf("{attempt %d in %s: began %s, %s}", r.attempt, r.process, r.began.Format(clock), end)
}

// chronicle is what the journals of all processes say: the runs of each job, in the order
// in which they began.
type chronicle map[string][]processRun

// readJournals reads what there is by now.
func readJournals(t *testing.T, dir string) chronicle {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"+journalSuffix))
	require.NoError(t, err)
	runs := make(map[string]*processRun)
	for _, name := range names {
		text, err := os.ReadFile(name)
		require.NoError(t, err)
		for line := range bytes.Lines(text) {
			if bytes.HasSuffix(line, []byte("\n")) { // or the process was killed while it wrote
				readEntry(t, runs, line)
			}
		}
	}
	all := make(chronicle)
	for _, run := range runs {
		all[run.job] = append(all[run.job], *run)
	}
	for _, of := range all {
		slices.SortFunc(of, func(a, b processRun) int { return a.began.Compare(b.began) })
	}
	return all
}

func readEntry(t *testing.T, runs map[string]*processRun, line []byte) {
	t.Helper()
	var entry journalEntry
	require.NoError(t, json.Unmarshal(line, &entry))
	if entry.Event == "began" {
		require.NotContains(t, runs, entry.Nonce)
		runs[entry.Nonce] = &processRun{
			job: entry.Job, process: entry.Process, nonce: entry.Nonce,
			attempt: entry.Attempt, began: entry.At,
		}
		return
	}
	run := runs[entry.Nonce]
	require.NotNil(t, run, "a run ended that never began: %s", line)
	require.Zero(t, run.ended, "a run ended twice: %s", line)
	run.ended, run.cause, run.report = entry.At, entry.Cause, entry.Report
}

// in returns the runs that began in a process.
func (c chronicle) in(p *process) []processRun {
	var there []processRun
	for _, of := range c {
		for _, run := range of {
			if run.process == p.name {
				there = append(there, run)
			}
		}
	}
	return there
}

// newNonce is a word that nothing else says.
func newNonce() string { return rand.Text() }
