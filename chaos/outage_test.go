package chaos_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// outage is a time without Redis.
type outage struct{ began, ended time.Time }

func (o outage) String() string { return o.ended.Sub(o.began).Round(time.Millisecond).String() }

// end notes the end of an outage and waits until jobs are accepted and run again.
func (o *outage) end(t *testing.T, l *ledger) {
	t.Helper()
	o.ended = time.Now()
	waitFor(t, func() error {
		if l.firstAccepted(o.ended).IsZero() {
			return errors.New("no job was accepted after the outage")
		}
		return nil
	})
	busyFor(t, l, 50)
}

// mustResume asserts that after an outage jobs were accepted and finished soon.
func (o outage) mustResume(t *testing.T, l *ledger, over records) {
	t.Helper()
	accepted, finished := l.firstAccepted(o.ended), over.firstFinished(o.ended, anyJob)
	require.False(t, finished.IsZero(), "no job was finished after the outage")
	t.Logf("outage of %v; after it the first 202 took %v, the first finished job %v", o,
		accepted.Sub(o.ended).Round(time.Millisecond), finished.Sub(o.ended).Round(time.Millisecond))
	goal := onThisMachine(t, resumption)
	assert.Less(t, accepted.Sub(o.ended), goal, "until a job was accepted")
	assert.Less(t, finished.Sub(o.ended), goal, "until a job was finished")
}

func TestRedisIsKilledAndRestartedUnderLoad(t *testing.T) {
	t.Parallel()
	awaitDialers(t)
	server := redistest.Start(t, appendOnly...)
	observer := redisstore.New(server.Client(t))
	l := newLedger()
	s := openSite(t, server.Client(t), l, 1)
	openSite(t, server.Client(t), l, 1)
	stop := s.load(t)
	var outages []outage
	// Calls are repeated for some time, so nobody may notice a short outage.
	const noticed = 2500 * time.Millisecond
	for last := either(1, 12); len(outages) <= last; {
		busyFor(t, l, 200)
		server.Kill()
		o := outage{began: time.Now()}
		if letPass(rand.N(noticed)); len(outages) == last {
			letPass(noticed)
		}
		server.Restart(t)
		o.end(t, l)
		outages = append(outages, o)
	}
	stop()

	ids := l.ids()
	over := l.mustFinish(t, observer, ids)
	l.mustRefuseWell(t, 1)
	l.mustHaveResults(t, s, over)
	l.mustRunOnce(t, over)
	mustHaveWrittenOnce(t, server.Dir(), ids)
	for _, o := range outages {
		o.mustResume(t, l, over)
	}
}

// busyFor waits until that many more runs have ended.
func busyFor(t *testing.T, l *ledger, runs int) {
	t.Helper()
	enough := l.ended() + runs
	waitFor(t, func() error {
		if n := l.ended(); n < enough {
			return fmt.Errorf("%d of %d runs ended", n, enough)
		}
		return nil
	})
}

const silent = "packets vanish"

// breaks are the ways in which a network fails.
var breaks = map[string]func(*redistest.Proxy){
	"connections are refused": (*redistest.Proxy).Cut,
	silent:                    (*redistest.Proxy).Hang,
}

// distant is a client of what is behind a proxy. It is made as the documentation of
// redisstore advises, or with nothing but the address.
func distant(t *testing.T, p *redistest.Proxy, advised bool) *redis.Client {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: p.Addr(), ContextTimeoutEnabled: advised})
	t.Cleanup(func() { require.NoError(t, client.Close()) })
	return client
}

// The lease is longer than the outage, and is to be renewed during it: whatever happens,
// each job runs once.
func TestNetworkIsCutForThreeSeconds(t *testing.T) {
	t.Parallel()
	for how, breaks := range breaks {
		for _, advised := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, deadlines are heeded by the client: %v", how, advised), func(t *testing.T) {
				t.Parallel()
				awaitDialers(t)
				server := redistest.Start(t, appendOnly...)
				proxy := redistest.NewProxy(t, server.Addr())
				l := newLedger()
				s := openSite(t, distant(t, proxy, advised), l, 1, ginasync.WithLease(7*time.Second))
				observer := redisstore.New(server.Client(t))
				held := s.hold(t, 3)
				stop := s.load(t)
				busyFor(t, l, 50)

				breaks(proxy)
				o := outage{began: time.Now()}
				letPass(500 * time.Millisecond)
				s.release()
				letPass(2500 * time.Millisecond)
				proxy.Mend()
				o.end(t, l)
				stop()

				ids := l.ids()
				over := l.mustFinish(t, observer, ids)
				for _, id := range held {
					runs := l.of(id)
					require.Len(t, runs, 1)
					require.True(t, runs[0].ended.After(o.began) && runs[0].ended.Before(o.ended), "it ended during the outage")
				}
				l.mustRefuseWell(t, 0)
				l.mustHaveResults(t, s, over)
				l.mustRunOnce(t, over)
				mustHaveWrittenOnce(t, server.Dir(), ids)
				o.mustResume(t, l, over)
			})
		}
	}
}

// hold submits jobs that run until they are released, and waits until they run.
func (s *site) hold(t *testing.T, n int) []string {
	t.Helper()
	var ids []string
	for range n {
		a := s.submit("/held")
		require.NotEmpty(t, a.id, "%+v", a)
		ids = append(ids, a.id)
		waitFor(t, func() error {
			if len(s.ledger.of(a.id)) == 0 {
				return fmt.Errorf("job %s does not run", a.id)
			}
			return nil
		})
	}
	return ids
}

func TestWaitingForRedisCostsNoProcessorTime(t *testing.T) {
	for how, breaks := range breaks {
		t.Run(how, func(t *testing.T) {
			awaitDialers(t)
			server := redistest.Start(t)
			proxy := redistest.NewProxy(t, server.Addr())
			s := openSite(t, distant(t, proxy, true), newLedger(), 1, ginasync.WithLease(30*time.Second))
			s.hold(t, 3)
			breaks(proxy)
			s.release() // these want to be settled
			letPass(200 * time.Millisecond)
			before, began := cpuTime(t), time.Now()
			letPass(either(2*time.Second, 10*time.Second))
			used := (cpuTime(t) - before).Seconds() / time.Since(began).Seconds()
			proxy.Mend()
			t.Logf("%.1f %% of a processor while Redis is away", 100*used)
			require.Less(t, used, 0.2)
		})
	}
}

// An outage longer than the lease: the attempts are lost, the jobs are not.
func TestOutageLongerThanTheLease(t *testing.T) {
	t.Parallel()
	const lease = time.Second
	for how, breaks := range breaks {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			awaitDialers(t)
			server := redistest.Start(t, appendOnly...)
			proxy := redistest.NewProxy(t, server.Addr())
			l := newLedger()
			s := openSite(t, distant(t, proxy, true), l, 1, ginasync.WithLease(lease))
			observer := redisstore.New(server.Client(t))
			s.hold(t, 3)
			stop := s.load(t)
			busyFor(t, l, 50)

			breaks(proxy)
			o := outage{began: time.Now()}
			letPass(lease / 2)
			s.release()
			letPass(2 * lease)
			if how == silent {
				letPass(4 * time.Second) // submissions wait for 5 s
			}
			proxy.Mend()
			o.end(t, l)
			stop()

			ids := l.ids()
			over := l.mustFinish(t, observer, ids)
			l.mustRefuseWell(t, 1)
			l.mustHaveResults(t, s, over)
			mustHaveWrittenOnce(t, server.Dir(), ids)
			o.mustResume(t, l, over)
			t.Logf("%d of %d jobs ran again", ranAgain(l, ids), len(ids))
		})
	}
}

// ranAgain counts the jobs with more than one run.
func ranAgain(l *ledger, ids []string) int {
	n := 0
	for _, id := range ids {
		if len(l.of(id)) > 1 {
			n++
		}
	}
	return n
}
