package storetest

import (
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

func result(text string) store.Result {
	return store.Result{
		Response: store.Response{Status: 200, ContentType: "text/plain", Bytes: int64(len(text))},
		Data:     []byte(text),
	}
}

func problem() store.Problem {
	return store.Problem{Type: "timeout", Title: "timeout", Status: 504, Detail: "after 3 s"}
}

func completed() store.Outcome { return store.Complete(result("done")) }

func failed() store.Outcome { return store.Fail(problem(), nil) }

func retried(delay time.Duration) store.Outcome { return store.RetryAfter(delay, problem()) }

func delayed(d time.Duration) func(*store.NewJob) {
	return func(j *store.NewJob) { j.Delay = d }
}

func keptFor(d time.Duration) func(*store.NewJob) {
	return func(j *store.NewJob) { j.Retention = d }
}

func attempts(n int) func(*store.NewJob) {
	return func(j *store.NewJob) { j.MaxAttempts = n }
}

func inQueue(name string) func(*store.NewJob) {
	return func(j *store.NewJob) { j.Queue = name }
}

func withKey(key, fingerprint string) func(*store.NewJob) {
	return func(j *store.NewJob) { j.Key, j.Fingerprint = key, fingerprint }
}

func ownedBy(owner string) func(*store.NewJob) {
	return func(j *store.NewJob) { j.Owner = owner }
}
