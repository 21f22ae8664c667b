package ginasync

import (
	"net/http"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync/internal/outbound"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/stretchr/testify/assert"
)

func TestTheWholeSchedule(t *testing.T) {
	w := new(webhooks)
	total := time.Duration(0)
	for i, want := range []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	} {
		claim := store.Claim{Job: store.Job{Attempt: i + 1}}
		seen := map[time.Duration]bool{}
		for range 50 {
			report := w.replied(claim, "h", outbound.Reply{Status: http.StatusInternalServerError})
			assert.True(t, report.Retry)
			assert.GreaterOrEqual(t, report.RetryAfter, want, "after attempt %d", i+1)
			assert.LessOrEqual(t, report.RetryAfter, want+want/10, "after attempt %d", i+1)
			seen[report.RetryAfter] = true
		}
		assert.Greater(t, len(seen), 10, "messages that failed together come back one by one")
		total += want
	}
	assert.Equal(t, 10, newDelivery(Job{}, receiver{}, nil).MaxAttempts)
	assert.Greater(t, total, 75*time.Hour)
}

func TestReplies(t *testing.T) {
	w := new(webhooks)
	for status, fine := range map[int]bool{199: false, 200: true, 202: true, 204: true, 299: true, 300: false, 304: false, 400: false, 404: false, 410: false} {
		report := w.replied(store.Claim{}, "h", outbound.Reply{Status: status})
		assert.Equal(t, fine, report.Problem.IsZero(), "%d", status)
		assert.Equal(t, !fine && status != http.StatusGone, report.Retry, "%d", status)
	}
}
