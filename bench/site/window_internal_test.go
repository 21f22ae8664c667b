package site

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestWindow(t *testing.T) {
	enter := func(w *window, n int) (entered func() int) {
		var count atomic.Int64
		for range n {
			go func() {
				if w.enter() {
					count.Add(1)
				}
			}()
		}
		return func() int { synctest.Wait(); return int(count.Load()) }
	}
	t.Run("lets in as many as fit, and more when half have left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWindow()
			w.resize(4)
			for range 4 {
				require.True(t, w.enter())
			}
			entered := enter(w, 2)
			w.leave(1)
			require.Zero(t, entered())
			w.leave(1)
			require.Equal(t, 2, entered())
			w.end()
		})
	})
	t.Run("jobs of others that are kept here make room", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWindow()
			w.resize(2)
			w.leave(10)
			entered := enter(w, 11)
			require.Equal(t, 11, entered())
			w.end()
		})
	})
	t.Run("its end sends everybody home", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWindow()
			w.resize(1)
			require.True(t, w.enter())
			entered := enter(w, 3)
			w.end()
			require.Zero(t, entered())
			require.False(t, w.enter())
		})
	})
}
