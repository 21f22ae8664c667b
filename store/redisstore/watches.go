package redisstore

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// watchNote is how long Redis remembers that somebody watches a job, and renewNotes
	// how often it is told again.
	watchNote  = 30 * time.Second
	renewNotes = 10 * time.Second
	// retryNotes is when it is told again after an error.
	retryNotes = time.Second
	// notesPerCall bounds what one call tells.
	notesPerCall = 500
)

// watches keeps noted in Redis which jobs are watched here: nobody sends messages about
// others. Its goroutine runs only while something is watched.
type watches struct {
	hub *hub
	// changed tells the keeper that nothing is watched any more, or that a note failed.
	changed chan struct{}

	mu      sync.Mutex
	kept    bool // the keeper runs
	watched map[string]*watchedJob
}

// watchedJob is a job that is watched.
type watchedJob struct {
	partition *partition
	watchers  int
	noted     bool // Redis knows
}

func newWatches(h *hub) *watches {
	return &watches{hub: h, changed: make(chan struct{}, 1), watched: make(map[string]*watchedJob)}
}

// add notes that a job is watched, and waits for that a moment. If it takes longer the
// keeper goes on trying, and tells the watchers when Redis knows.
func (w *watches) add(ctx context.Context, p *partition, id string) {
	w.mu.Lock()
	j := w.watched[id]
	if j == nil {
		j = &watchedJob{partition: p}
		w.watched[id] = j
	}
	j.watchers++
	noted := j.noted
	if !w.kept {
		w.kept = true
		go w.keep(context.WithoutCancel(ctx))
	}
	w.mu.Unlock()
	if noted {
		return
	}
	patient, cancel := context.WithTimeout(ctx, subscribePatience)
	defer cancel()
	if _, err := p.notes.do(patient, note(id)); err != nil {
		signal(w.changed)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	j.noted = true
}

// drop ends what add began. Redis forgets by itself.
func (w *watches) drop(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	j := w.watched[id]
	if j == nil {
		return
	}
	if j.watchers--; j.watchers > 0 {
		return
	}
	delete(w.watched, id)
	if len(w.watched) == 0 {
		signal(w.changed)
	}
}

// keep tells Redis again and again what is watched, until nothing is.
func (w *watches) keep(ctx context.Context) {
	timer := time.NewTimer(renewNotes)
	defer timer.Stop()
	hasty := false // the timer is for a retry: others that fail do not postpone it
	for w.wanted() {
		select {
		case <-timer.C:
			next := w.renew(ctx)
			hasty = next == retryNotes
			timer.Reset(next)
		case <-w.changed:
			if !hasty && w.anyMissing() {
				hasty = true
				timer.Reset(retryNotes)
			}
		}
	}
}

// wanted reports whether something is watched. If not, the keeper has ended.
func (w *watches) wanted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept = len(w.watched) > 0
	return w.kept
}

func (w *watches) anyMissing() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, j := range w.watched {
		if !j.noted {
			return true
		}
	}
	return false
}

// renew tells Redis once what is watched, and returns when to do it again. A server that
// hangs does not keep the others waiting for long.
func (w *watches) renew(ctx context.Context) time.Duration {
	var failed atomic.Bool
	var visits sync.WaitGroup
	for p, ids := range w.byPartition() {
		visits.Go(func() {
			for some := range slices.Chunk(ids, notesPerCall) {
				fresh, err := p.sendNotes(ctx, some)
				if err != nil {
					failed.Store(true)
					return
				}
				w.noted(p, some, fresh > 0)
			}
		})
	}
	visits.Wait()
	if failed.Load() {
		return retryNotes
	}
	return renewNotes
}

func (w *watches) byPartition() map[*partition][]note {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := make(map[*partition][]note)
	for id, j := range w.watched {
		ids[j.partition] = append(ids[j.partition], note(id))
	}
	return ids
}

// noted tells the watchers of jobs that Redis did not know about, or may have forgotten:
// changes may have been missed.
func (w *watches) noted(p *partition, ids []note, forgotten bool) {
	var news []string
	w.mu.Lock()
	for _, id := range ids {
		if j := w.watched[string(id)]; j != nil && (forgotten || !j.noted) {
			j.noted = true
			news = append(news, p.watch(string(id)))
		}
	}
	w.mu.Unlock()
	for _, channel := range news {
		w.hub.tell(channel)
	}
}

// note is the id of a watched job on its way to Redis.
type note string

func (n note) size() int { return len(n) }

// sendNotes tells Redis of watched jobs in one call, and returns how many of them it did not
// know about.
func (p *partition) sendNotes(ctx context.Context, ids []note) (fresh int64, err error) {
	c := p.call(p.store.scripts.watch, 0, 1+len(ids))
	c.args = append(c.args, watchNote.Milliseconds())
	for _, id := range ids {
		c.args = append(c.args, string(id))
	}
	reply, err := p.send(ctx, c)
	fresh, _ = reply.(int64)
	return fresh, err
}

// sendMembers is sendNotes for the group.
func (p *partition) sendMembers(ctx context.Context, members []*member[note, struct{}]) error {
	ids := make([]note, len(members))
	for i, m := range members {
		ids[i] = m.in
	}
	_, err := p.sendNotes(ctx, ids)
	return err
}
