package store_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/asyncendpoints/gin-async/store"
)

func TestNewID(t *testing.T) {
	t.Run("an id begins with its partition and is valid", func(t *testing.T) {
		var source store.IDSource
		for _, partition := range []byte("az27") {
			for _, id := range []string{store.NewID(partition), source.New(partition)} {
				assert.True(t, store.ValidID(id), id)
				assert.Equal(t, partition, id[0])
				assert.Len(t, id, store.IDLen)
			}
		}
	})
	t.Run("no id comes twice, over the end of a block and from many goroutines", func(t *testing.T) {
		const goroutines, each = 4, 300
		ids := make(chan string, 2*goroutines*each)
		var done sync.WaitGroup
		for range goroutines {
			done.Go(func() {
				var source store.IDSource
				for range each {
					ids <- store.NewID('a')
					ids <- source.New('a')
				}
			})
		}
		done.Wait()
		close(ids)
		seen := map[string]bool{}
		for id := range ids {
			assert.False(t, seen[id], id)
			seen[id] = true
		}
		assert.Len(t, seen, 2*goroutines*each)
	})
	t.Run("every position of an id varies", func(t *testing.T) {
		var source store.IDSource
		var seen [store.IDLen]map[byte]bool
		for i := range seen {
			seen[i] = map[byte]bool{}
		}
		for range 500 {
			id := source.New('a')
			for i := range id {
				seen[i][id[i]] = true
			}
		}
		assert.Len(t, seen[0], 1)
		for i := 1; i < store.IDLen-1; i++ {
			assert.Greater(t, len(seen[i]), 16, "position %d", i)
		}
		assert.Len(t, seen[store.IDLen-1], 8, "the last character has three bits")
	})
}

func TestValidID(t *testing.T) {
	id := store.NewID('a')
	for name, text := range map[string]string{
		"empty":                   "",
		"too short":               id[1:],
		"too long":                id + "a",
		"upper case":              strings.ToUpper(id),
		"a digit not in it":       id[:5] + "1" + id[6:],
		"a slash":                 id[:5] + "/" + id[6:],
		"a zero byte":             id[:26] + "\x00",
		"a letter with two bytes": id[:25] + "é",
	} {
		t.Run(name+" is not valid", func(t *testing.T) { assert.False(t, store.ValidID(text), "%q", text) })
	}
}

func FuzzValidID(f *testing.F) {
	f.Add(store.NewID('a'))
	f.Add("")
	f.Add("a/../../etc/passwd:*{}        ")
	f.Fuzz(func(t *testing.T, id string) {
		if !store.ValidID(id) {
			return
		}
		assert.Len(t, id, store.IDLen)
		assert.Empty(t, strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567"))
	})
}
