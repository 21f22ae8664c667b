package ginasync_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// advisedStore looks at its surroundings as told.
type advisedStore struct {
	store.Store
	advice func(context.Context) []string
}

func (s advisedStore) Advice(ctx context.Context) []string { return s.advice(ctx) }

func TestAdvice(t *testing.T) {
	sentences := func(context.Context) []string { return []string{"it forgets when full", "it has no disk"} }
	const said = "level=WARN msg=\"ginasync: the store is not safe as it is set up\" advice="

	for name, opts := range map[string][]ginasync.Option{
		"a store":              nil,
		"a store with keys on": {ginasync.WithEncryption(key(1))},
	} {
		t.Run("of "+name+" is logged once, a line a sentence", func(t *testing.T) {
			var log logbook
			a := startApp(t, engine(func(r *gin.Engine) { r.POST("/x", ginasync.Async(text("done"))) }),
				advisedStore{memstore.New(), sentences}, append(opts, log.option())...)
			a.run("/x", "")
			assert.Len(t, log.with(said), 2)
			assert.Len(t, log.with(said+`"it forgets when full"`), 1)
			assert.Len(t, log.with(said+`"it has no disk"`), 1)
		})
	}

	t.Run("that there is none is no line", func(t *testing.T) {
		var log logbook
		startApp(t, gin.New(), advisedStore{memstore.New(), func(context.Context) []string { return nil }}, log.option())
		assert.Empty(t, log.with("not safe"))
	})

	t.Run("is not asked for when Start fails", func(t *testing.T) {
		r := engine(func(r *gin.Engine) { r.POST("/x", ginasync.Async(nil)) })
		asked := false
		jobs, err := ginasync.New(r, ginasync.WithStore(advisedStore{memstore.New(), func(context.Context) []string {
			asked = true
			return nil
		}}))
		require.NoError(t, err)
		require.Error(t, jobs.Start(t.Context()))
		assert.False(t, asked)
	})

	t.Run("that does not come delays Start by 1 s and no more, and fails nothing", func(t *testing.T) {
		for name, minds := range map[string]bool{"minds its context": true, "does not mind its context": false} {
			synctest.Test(t, func(t *testing.T) {
				var log logbook
				back := make(chan struct{})
				jobs, err := ginasync.New(gin.New(), log.option(), ginasync.WithoutWorkers(),
					ginasync.WithStore(advisedStore{memstore.New(), func(ctx context.Context) []string {
						if minds {
							<-ctx.Done()
						} else {
							<-back
						}
						return nil
					}}))
				require.NoError(t, err)
				began := time.Now()
				require.NoError(t, jobs.Start(t.Context()), name)
				assert.Equal(t, time.Second, time.Since(began), name)
				close(back)
			})
		}
	})
}

var errMadeWrongly = errors.New("redisstore: the prefix must not be empty")

type configuredStore struct {
	*memstore.Store
	err error
}

func (s *configuredStore) Err() error { return s.err }

func TestNewAsksTheStoreHowItWasMade(t *testing.T) {
	_, err := ginasync.New(gin.New(), ginasync.WithStore(&configuredStore{memstore.New(), errMadeWrongly}), ginasync.WithGrace(0))
	require.ErrorIs(t, err, errMadeWrongly)
	require.ErrorContains(t, err, "WithStore: redisstore: the prefix")
	require.ErrorContains(t, err, "WithGrace", "all mistakes are told together")

	_, err = ginasync.New(gin.New(), ginasync.WithStore(&configuredStore{memstore.New(), nil}))
	require.NoError(t, err)

	var none *configuredStore
	_, err = ginasync.New(gin.New(), ginasync.WithStore(none))
	require.ErrorContains(t, err, "WithStore must not be nil")
}
