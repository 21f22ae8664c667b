package chaos_test

import (
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/internal/redistest"
)

func TestSentinelReplacesAMasterUnderLoad(t *testing.T) {
	t.Parallel()
	awaitDialers(t)
	sentinel := redistest.StartSentinel(t)
	l := newLedger()
	s := openSite(t, sentinel.Client(t), l, 1)
	openSite(t, sentinel.Client(t), l, 1)
	observer := sentinel.Client(t)
	stop := s.load(t)
	busyFor(t, l, 300)

	keys := prefixes(t, "ginasync", sentinel.Master())
	sentinel.Master().Kill()
	o := outage{began: time.Now()}
	probe(t, []*redistest.Server{sentinel.Replica()}, keys, "a")
	o.ended = time.Now()
	busyFor(t, l, 300)
	stop()

	over := finishKept(t, l, observer, keys)
	t.Logf("the election took %v", o)
	l.mustRefuseWell(t, 1)
	l.mustHaveResults(t, s, over)
	o.mustResumeEach(t, "a", over, resumption)
}
