package memstore_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/memstore"
)

// The table must find what a map would find, also where many tags share a home,
// runs of cells go around the end, and gaps are closed behind removed ones.
func TestTableFindsWhatWasAddedAndNotRemoved(t *testing.T) {
	for name, tagOf := range map[string]func(*rand.Rand) uint32{
		"spread tags":              (*rand.Rand).Uint32,
		"few tags":                 func(r *rand.Rand) uint32 { return r.Uint32N(5) * 0x11111111 },
		"tags at the end":          func(r *rand.Rand) uint32 { return ^r.Uint32N(1 << 27) },
		"tags around the boundary": func(r *rand.Rand) uint32 { return r.Uint32N(1<<24) - 1<<23 },
	} {
		t.Run(name, func(t *testing.T) {
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			table := memstore.NewTable()
			tags := map[uint32]uint32{} // by number
			for n := uint32(1); n <= 1500; n++ {
				tags[n] = tagOf(random)
				table.Add(tags[n], n)
				for gone, tag := range tags { // the order of a map is random
					if random.Uint32N(3) > 0 {
						break
					}
					table.Remove(tag, gone)
					delete(tags, gone)
				}
			}
			byTag := map[uint32][]uint32{}
			for n, tag := range tags {
				byTag[tag] = append(byTag[tag], n)
			}
			for tag, numbers := range byTag {
				assert.ElementsMatch(t, numbers, table.Find(tag))
			}
		})
	}
}

func TestEveryJobIsFoundWhileOthersComeAndGo(t *testing.T) {
	s := memstore.New()
	var jobs []store.Job
	for i := range 600 {
		jobs = append(jobs, create(t, s, func(j *store.NewJob) { j.Owner = string(rune('a' + i%3)) }))
		if i%3 == 0 {
			gone := rand.IntN(len(jobs))
			_, err := s.Cancel(t.Context(), jobs[gone].ID)
			assert.NoError(t, err)
			assert.NoError(t, s.Delete(t.Context(), jobs[gone].ID))
			jobs = append(jobs[:gone], jobs[gone+1:]...)
		}
	}
	listed := map[string][]string{}
	for i := len(jobs) - 1; i >= 0; i-- {
		j := jobs[i]
		assert.Equal(t, j, get(t, s, j.ID))
		listed[j.Owner] = append(listed[j.Owner], j.ID)
	}
	for owner, want := range listed {
		page, err := s.List(t.Context(), store.Query{Owner: owner, Limit: 200})
		assert.NoError(t, err)
		var got []string
		for _, j := range page.Jobs {
			got = append(got, j.ID)
		}
		assert.Equal(t, want, got)
	}
}

// An old job that stays while nearly all after it are removed must not keep their
// places, and the cursor made before still leads on.
func TestGapsInAListAreClosed(t *testing.T) {
	s := memstore.New()
	oldest := create(t, s)
	var jobs []store.Job
	for range 500 {
		jobs = append(jobs, create(t, s))
	}
	page, err := s.List(t.Context(), store.Query{Limit: 2})
	require.NoError(t, err)
	require.Len(t, page.Jobs, 2)
	for i, j := range jobs {
		if i%10 != 0 {
			_, err := s.Cancel(t.Context(), j.ID)
			require.NoError(t, err)
			require.NoError(t, s.Delete(t.Context(), j.ID))
		}
	}
	assert.Less(t, s.Places(""), 2*51+32)

	rest, err := s.List(t.Context(), store.Query{Limit: 200, Cursor: page.Next})
	require.NoError(t, err)
	require.Len(t, rest.Jobs, 51)
	assert.Equal(t, jobs[490].ID, rest.Jobs[0].ID)
	assert.Equal(t, oldest.ID, rest.Jobs[50].ID)
	for _, j := range rest.Jobs {
		_, err := s.Cancel(t.Context(), j.ID)
		require.NoError(t, err)
		require.NoError(t, s.Delete(t.Context(), j.ID))
	}
	assert.Zero(t, s.Leftovers())
}
