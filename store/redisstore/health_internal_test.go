package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHealthOfAPartition(t *testing.T) {
	client := redis.NewClient(&redis.Options{})
	t.Cleanup(func() { assert.NoError(t, client.Close()) })
	hang := func(ctx context.Context) error {
		<-ctx.Done()
		return fmt.Errorf("redisstore: %w", ctx.Err())
	}
	for name, test := range map[string]struct {
		happens func(ctx context.Context, p *partition)
		ails    bool
	}{
		"a server that cannot be reached is ailing": {func(_ context.Context, p *partition) {
			p.noteHealth(fmt.Errorf("redisstore: %w", io.EOF))
		}, true},
		"a success ends it": {func(_ context.Context, p *partition) {
			p.noteHealth(io.EOF)
			p.noteHealth(nil)
		}, false},
		"time does not end it, nor an error that is an answer": {func(_ context.Context, p *partition) {
			p.noteHealth(io.EOF)
			p.noteHealth(redis.ErrNoScript)
			p.noteHealth(context.Canceled)
		}, true},
		"an error that is an answer is no ailment": {func(_ context.Context, p *partition) {
			p.noteHealth(redis.ErrNoScript)
		}, false},
		"a server that takes more than its part of the time is ailing": {func(ctx context.Context, p *partition) {
			_ = p.inTime(ctx, time.Millisecond, hang)
		}, true},
		"half of the caller's time is as much as it gets": {func(ctx context.Context, p *partition) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			_ = p.inTime(ctx, time.Hour, hang)
		}, true},
		"a caller that gives up says nothing of the server": {func(ctx context.Context, p *partition) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Millisecond, cancel)
			_ = p.inTime(ctx, time.Hour, hang)
		}, false},
		"nor does a deadline that the caller set": {func(ctx context.Context, p *partition) {
			ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			_ = p.inTime(ctx, time.Hour, func(context.Context) error { return hang(ctx) })
			p.noteHealth(context.DeadlineExceeded)
			p.noteHealth(os.ErrDeadlineExceeded)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &New(client, WithPartitions(2)).partitions[1]
			test.happens(t.Context(), p)
			assert.Equal(t, test.ails, p.ailing())
		})
	}
	t.Run("the only partition has all the time there is", func(t *testing.T) {
		p := &New(client).partitions[0]
		failed := errors.New("failed")
		err := p.inTime(t.Context(), time.Minute, func(ctx context.Context) error {
			_, bounded := ctx.Deadline()
			assert.False(t, bounded)
			return failed
		})
		require.Equal(t, failed, err)
	})
}
