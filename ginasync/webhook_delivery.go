package ginasync

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync/internal/outbound"
	"github.com/asyncendpoints/gin-async/ginasync/webhook"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/worker"
)

// deliveryTimeout bounds an attempt of a delivery; the message itself has 20 s.
const deliveryTimeout = 30 * time.Second

// schedule is how long a delivery waits after each failed attempt but the last: that of
// Standard Webhooks.
var schedule = [...]time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// longestAsked bounds what a Retry-After may ask for.
const longestAsked = 24 * time.Hour

// delivery is what a delivery knows beside its message. Secrets are not part of it: they
// are looked up when the message is sent.
type delivery struct {
	receiver
	ID string `json:"id"` // of the message
}

// deliver runs a delivery once.
func (w *webhooks) deliver(ctx context.Context, claim store.Claim) worker.Report {
	var to delivery
	if err := json.Unmarshal(claim.Envelope, &to); err != nil || isSealed(claim.Request) {
		return w.unreadable(claim)
	}
	host, client, err := w.way(to.receiver)
	if err != nil {
		return w.again(claim, err.Error(), 0)
	}
	leave, free := w.lanes.enter(host)
	if !free {
		return worker.Report{Postpone: lanePace().Delay(int(min(claim.Ref.Claim, 1000)))}
	}
	defer leave()
	header := http.Header{"Content-Type": {"application/json"}}
	webhook.Sign(header, to.ID, time.Now(), claim.Request, w.cfg.secrets[host]...)
	reply, err := client.Post(ctx, to.URL, header, claim.Request)
	if err != nil {
		return w.again(claim, fmt.Sprintf("%s: %v", host, err), 0)
	}
	return w.replied(claim, host, reply)
}

// way is how to get to a receiver from this process, whose options may be newer than the
// delivery, or older.
func (w *webhooks) way(to receiver) (host string, client *outbound.Client, err error) {
	client = w.trusted
	if to.Callback {
		client = w.guarded
		if _, err := w.cfg.hosts.Check(to.URL); err != nil {
			return "", nil, fmt.Errorf("%w: %w", errCallback, err)
		}
	}
	u, err := url.Parse(to.URL)
	if err != nil {
		return "", nil, errCallback // which does not quote it
	}
	host = outbound.HostOf(u)
	if len(w.cfg.secrets[host]) == 0 {
		return "", nil, noSecret(host)
	}
	return host, client, nil
}

// replied says what a receiver's answer means.
func (w *webhooks) replied(claim store.Claim, host string, reply outbound.Reply) worker.Report {
	said := fmt.Sprintf("%s answered %d %s", host, reply.Status, http.StatusText(reply.Status))
	switch {
	case reply.Status >= 200 && reply.Status < 300:
		return worker.Report{}
	case reply.Status == http.StatusGone:
		return worker.Report{Problem: ownProblem(notDelivered, said+": it wants no more of these", http.StatusBadGateway)}
	default:
		return w.again(claim, said, askedFor(reply))
	}
}

// askedFor is how long an overloaded receiver wants to be left alone.
func askedFor(reply outbound.Reply) time.Duration {
	switch reply.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return min(parseRetryAfter(reply.RetryAfter, time.Now()), longestAsked)
	default:
		return 0
	}
}

// again has a delivery repeated, as the schedule says and not before asked.
func (w *webhooks) again(claim store.Claim, why string, asked time.Duration) worker.Report {
	return worker.Report{
		Problem: ownProblem(notDelivered, why, http.StatusBadGateway), Retry: true,
		RetryAfter: max(w.pause(claim.Job.Attempt), asked),
	}
}

// pause is how long the schedule waits after an attempt, and up to a tenth more, so that
// messages that failed together do not come back together.
func (*webhooks) pause(attempt int) time.Duration {
	d := schedule[min(max(attempt, 1), len(schedule))-1]
	return d + time.Duration(rand.Float64()*float64(d)/10)
}

// lanes bound how many messages go to one host at once, so that one that hangs does not
// take all slots of the queue. There are as many lanes as hosts have secrets.
type lanes struct {
	most int

	mu   sync.Mutex
	busy map[string]int
}

// lanePace is how long a delivery waits whose lane is full.
func lanePace() worker.Backoff {
	return worker.Backoff{Initial: time.Second, Max: 2 * time.Minute, Factor: 2, Jitter: 0.2}
}

// enter takes a place in the lane of a host, if there is one, until leave is called.
func (l *lanes) enter(host string) (leave func(), free bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.busy[host] >= l.most {
		return nil, false
	}
	if l.busy == nil {
		l.busy = make(map[string]int)
	}
	l.busy[host]++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.busy[host]--
	}, true
}
