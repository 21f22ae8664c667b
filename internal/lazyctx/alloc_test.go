//go:build !race

package lazyctx_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/asyncendpoints/gin-async/internal/lazyctx"
)

func TestAContextThatNobodyLooksAtIsOneAllocation(t *testing.T) {
	parent := t.Context()
	assert.LessOrEqual(t, testing.AllocsPerRun(100, func() {
		ctx, cancel := lazyctx.WithTimeout(parent, time.Second)
		defer cancel()
		if ctx.Err() != nil {
			t.Error("it is over")
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
