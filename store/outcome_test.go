package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
)

func TestOutcome(t *testing.T) {
	problem := store.Problem{Type: "timeout", Title: "timeout", Status: 504, Detail: "after 3 s"}
	result := store.Result{Response: store.Response{Status: 200, ContentType: "text/plain", Bytes: 2}, Data: []byte("ok")}

	t.Run("Complete carries the result and no problem", func(t *testing.T) {
		o := store.Complete(result)
		assert.Equal(t, store.Completed, o.State())
		require.NotNil(t, o.Result())
		assert.Equal(t, result, *o.Result())
		assert.True(t, o.Problem().IsZero())
		assert.Zero(t, o.Delay())
	})
	t.Run("Complete with an empty result still has one", func(t *testing.T) {
		assert.NotNil(t, store.Complete(store.Result{}).Result())
	})
	t.Run("Fail carries the problem and a result only when there is one", func(t *testing.T) {
		o := store.Fail(problem, nil)
		assert.Equal(t, store.Failed, o.State())
		assert.Nil(t, o.Result())
		assert.Equal(t, problem, o.Problem())
		assert.Equal(t, result, *store.Fail(problem, &result).Result())
	})
	t.Run("RetryAfter carries the delay and the problem and no result", func(t *testing.T) {
		o := store.RetryAfter(time.Second, problem)
		assert.Equal(t, store.Scheduled, o.State())
		assert.Equal(t, time.Second, o.Delay())
		assert.Equal(t, problem, o.Problem())
		assert.Nil(t, o.Result())
	})
	t.Run("RetryAfter takes a negative delay for none", func(t *testing.T) {
		assert.Zero(t, store.RetryAfter(-time.Second, problem).Delay())
	})
	t.Run("Cancel carries nothing", func(t *testing.T) {
		o := store.Cancel()
		assert.Equal(t, store.Canceled, o.State())
		assert.Nil(t, o.Result())
		assert.True(t, o.Problem().IsZero())
	})
	t.Run("every outcome is a step from a job in progress, and the zero value is none", func(t *testing.T) {
		for _, o := range []store.Outcome{
			store.Complete(result), store.Fail(problem, nil), store.RetryAfter(0, problem), store.Cancel(),
		} {
			assert.True(t, store.InProgress.CanBecome(o.State()), o.State())
		}
		assert.False(t, store.InProgress.CanBecome(store.Outcome{}.State()))
	})
	t.Run("a lost worker is a problem with everything a client is shown", func(t *testing.T) {
		p := store.WorkerLost()
		assert.False(t, p.IsZero())
		assert.Equal(t, "worker lost", p.Title)
		assert.Equal(t, 500, p.Status)
		assert.NotEmpty(t, p.Type)
		assert.NotEmpty(t, p.Detail)
	})
}
