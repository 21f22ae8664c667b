package redisstore

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// heldClaim is what a seat knows of a claim that it holds.
type heldClaim struct {
	learned time.Time // when that was
	// value is that of the running job, and head that of its record with the names, both as
	// the job was claimed; empty: not known, or of no use.
	value, head string
}

// heldClaim is called with mu held. Turn 0: the number of the claim is not known.
func (t *seat) heldClaim(now time.Time, ref store.Ref, h head, started, turn int64) heldClaim {
	// With an idempotency key or an earlier outcome other keys have to be written, too.
	if turn == 0 || h.has(flagApart) || h.has(flagKeyed) {
		return heldClaim{learned: now}
	}
	return heldClaim{
		learned: now, value: claimedValue(t.name, turn, started, ref.Claim), head: string(h),
	}
}

// completed returns the record of the job when it has completed, if nothing but its claim
// has happened to it. It ends in the summary, which is without progress, and the data.
func (c *heldClaim) completed(claim int64, summary, data []byte) string {
	var h [headSize]byte
	copy(h[:], c.head)
	bump := func(from, to int, by int64) { putNumber(h[from:to], number(string(h[from:to]))+by) }
	h[atState], h[atMarkState] = letterText(store.Completed)[0], letterText(store.Completed)[0]
	bump(atVersion, atAttempt, 2)
	bump(atAttempt, atClaim, 1)
	putNumber(h[atClaim:atStarted], claim)
	copy(h[atStarted:atCancelRequested], c.value[atClaimStarted:atClaimNumber])
	putNumber(h[atMarkNumber:atMarkSession], claim)
	copy(h[atMarkSession:], c.value[:sessionChars])

	var sizes [8]byte // of the summary, and of no progress in it
	binary.LittleEndian.PutUint32(sizes[:], uint32(len(summary)+4))
	var record strings.Builder
	record.Grow(len(c.head) + len(sizes) + len(summary) + len(data))
	record.Write(h[:])
	record.WriteString(c.head[headSize:])
	record.Write(sizes[:])
	record.Write(summary)
	record.Write(data)
	return record.String()
}

// known is what the seat knows of a claim.
func (t *seat) known(ref store.Ref) heldClaim {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.claims[ref]
}

// remember notes what the seat holds by a renewal that began at a time. A claim whose
// reply came since may be later than the renewal, so that it is not in there.
func (t *seat) remember(began time.Time, held []store.Ref) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.renewed = began
	known := t.claims
	t.claims = make(map[store.Ref]heldClaim, len(held))
	for ref, claim := range known {
		if !claim.learned.Before(began) {
			t.claims[ref] = claim
		}
	}
	for _, ref := range held {
		claim := known[ref]
		claim.learned = began
		t.claims[ref] = claim
	}
}

// remembered is what the seat holds as far as is known, while its lease lasts.
func (t *seat) remembered() []store.Ref {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Since(t.renewed) >= t.lease {
		return nil
	}
	held := make([]store.Ref, 0, len(t.claims))
	for ref := range t.claims {
		held = append(held, ref)
	}
	return held
}

func (t *seat) gaveUp(ref store.Ref) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.claims, ref)
}
