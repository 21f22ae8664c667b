package ginasync

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync/webhook"
	"github.com/asyncendpoints/gin-async/store"
)

// receiver is where one event goes.
type receiver struct {
	URL string `json:"url"`
	// Callback says that a client has chosen it.
	Callback bool `json:"callback,omitempty"`
}

// receivers are those of the event that a job of the route is over in that state.
func (w *webhooks) receivers(route string, state store.State, callback string) []receiver {
	var found []receiver
	for _, s := range w.subscriptions(route) {
		if len(s.events) == 0 || slices.Contains(s.events, eventOf(state)) {
			found = append(found, receiver{URL: s.url})
		}
	}
	if callback != "" {
		found = append(found, receiver{URL: callback, Callback: true})
	}
	return found
}

// subscriptions of a route, also of one that is only in other processes. The jobs of
// webhooks have none.
func (w *webhooks) subscriptions(route string) []subscription {
	if reserved(route) {
		return nil
	}
	if r, ok := w.manager.routes.Load().named(route); ok {
		return r.cfg.webhooks
	}
	return w.manager.cfg.defaults.webhooks
}

// announce makes the deliveries of the event that a job is over, those that are not there
// yet. It does nothing for a job that is not over. After an error it can be repeated. A
// receiver that is away for days must not keep the service from taking new jobs, so that
// deliveries have half of the room for waiting jobs.
func (w *webhooks) announce(ctx context.Context, job Job, callback string) error {
	if !over(job) {
		return nil
	}
	receivers := w.receivers(job.Route, job.State, callback)
	if len(receivers) == 0 {
		return nil
	}
	body, err := w.body(job)
	if err != nil {
		return err
	}
	var errs []error
	for _, to := range receivers {
		delivery := newDelivery(job, to, body)
		delivery.MaxWaitingOfOwner = max(w.manager.cfg.maxQueued/2, 1)
		_, _, err := w.manager.store.Create(ctx, delivery)
		if errors.Is(err, store.ErrOwnerFull) {
			w.manager.log.Error("ginasync: a webhook event is dropped: too many deliveries wait", "job", job.ID)
			err = nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// body is the message about a job that is over. It is the same whoever makes it.
func (w *webhooks) body(job Job) ([]byte, error) {
	status := w.manager.statusOf(nil, job)
	status.Progress = nil
	if status.Response != nil { // whatever a handler wrote there, the message stays small
		status.Response.ContentType = shortened(status.Response.ContentType)
	}
	data, err := json.Marshal(&status)
	if err != nil {
		return nil, err
	}
	return json.Marshal(webhook.Event{Type: eventOf(job.State), Timestamp: job.FinishedAt.UTC().Truncate(time.Millisecond), Data: data})
}

// newDelivery is the job that takes a message to a receiver. It is kept for as long as
// the job that it is about, so that nothing makes it a second time.
func newDelivery(job Job, to receiver, body []byte) store.NewJob {
	version := strconv.FormatInt(job.Version, 10)
	digest := sha256.Sum256([]byte(to.URL))
	return store.NewJob{
		Route: deliveryRoute, Queue: webhookQueue, Owner: deliveryOwner,
		MaxAttempts: len(schedule) + 1, Retention: job.ExpiresAt.Sub(job.FinishedAt),
		Request: body, Envelope: encodeOwn(delivery{receiver: to, ID: "msg_" + job.ID + "_" + version}),
		Key: deliveryRoute + "\x00" + job.ID + "\x00" + version + "\x00" + hex.EncodeToString(digest[:]),
	}
}

// encodeOwn writes what a job of the library's own has to know: a few strings.
func encodeOwn(value any) []byte {
	data, _ := json.Marshal(value) // strings always can be
	return data
}
