package redisstore

import (
	"hash/fnv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/asyncendpoints/gin-async/store"
)

// partition is a part of the jobs whose keys share a hash tag.
type partition struct {
	store  *Store
	letter byte
	// key is the key of the partition's record and the beginning of all others.
	key string
	// first is the same, as go-redis takes it.
	first   any
	mu      sync.Mutex
	ids     store.IDSource
	creates group[creation, created]
	notes   group[note, struct{}]
	// ails: its server did not answer when it was asked last.
	ails atomic.Bool
	// probed is when it was last asked whether it is back, in nanoseconds.
	probed atomic.Int64
	// unknown: it is not known yet whether others use it.
	unknown atomic.Bool
}

func (p *partition) open(s *Store, letter byte) {
	p.store, p.letter = s, letter
	p.key = s.prefix + ":{" + tagOf(letter) + "}"
	p.first = p.key
	p.creates.send, p.creates.patience, p.creates.apart = p.create, longestCall+s.replicaTimeout, s.replicas > 0
	p.notes.send, p.notes.patience = p.sendMembers, longestCall
}

// newID draws the id of a job in the partition, or of a call, by which a repetition of
// it is told from another call.
func (p *partition) newID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ids.New(p.letter)
}

func (p *partition) record(id string) string    { return p.key + ":job:" + id }
func (p *partition) lock(session string) string { return p.key + ":lock:" + session }
func (p *partition) held(session string) string { return p.key + ":held:" + session }
func (p *partition) stop(session string) string { return p.key + ":stop:" + session }
func (p *partition) session(name string) string { return p.key + ":session:" + name }
func (p *partition) recovery() string           { return p.key + ":recovery" }

// Channels.
func (p *partition) arrived() string        { return p.key + ":arrived" }
func (p *partition) watch(id string) string { return p.key + ":watch:" + id }

// of returns the partition of a job, also when it is none of those served: then
// there is no such job in it. It returns nil for what is no id.
func (s *Store) of(id string) *partition {
	if !store.ValidID(id) {
		return nil
	}
	return &s.partitions[strings.IndexByte(letters, id[0])]
}

// forKey returns the partition of an idempotency key: always the same.
func (s *Store) forKey(key string) *partition {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(key))
	return &s.partitions[sum.Sum32()%uint32(s.own)]
}

// places returns the partitions for a new job without a key in the order in which to try
// them: the one whose turn it is first, and those that do not answer last.
func (s *Store) places() []*partition {
	places := make([]*partition, 0, s.own)
	var ailing []*partition
	start := int(s.turn.Add(1) % uint32(s.own))
	for i := range s.own {
		p := &s.partitions[(start+i)%s.own]
		if p.ailing() {
			ailing = append(ailing, p)
		} else {
			places = append(places, p)
		}
	}
	return append(places, ailing...)
}

// all returns the partitions that are read.
func (s *Store) all() []partition { return s.partitions[:s.served.Load()] }
