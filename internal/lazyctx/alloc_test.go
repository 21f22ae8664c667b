//go:build !race

package lazyctx_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
)

func TestAContextThatNobodyLooksAtIsOneAllocation(t *testing.T) {
	parent, now := t.Context(), time.Now()
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		ctx, cancel := lazyctx.WithTimeout(parent, time.Second)
		defer cancel()
		if _, patience := lazyctx.Patience(ctx, now, time.Hour); ctx.Err() != nil || patience != time.Second {
			t.Error("it is over, or bounded otherwise")
		}
	}), 1.0)
}

func BenchmarkWithTimeout(b *testing.B) {
	parent := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		ctx, cancel := lazyctx.WithTimeout(parent, time.Second)
		if ctx.Err() != nil {
			b.Error("it is over")
		}
		cancel()
	}
}
