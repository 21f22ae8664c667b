package ginasync

import (
	"context"
	"time"

	"github.com/asyncendpoints/gin-async/store"
)

// sealedStore seals what goes into a store and opens what comes out. What it cannot
// open it hands on sealed, but for texts, which notOpened stands for.
type sealedStore struct {
	store.Store
	keys *keyring
}

var (
	_ store.Local      = (*sealedStore)(nil)
	_ store.Advisor    = (*sealedStore)(nil)
	_ store.Configured = (*sealedStore)(nil)
)

// Create implements store.Jobs. Key and Fingerprint go in as they are: they are digests
// (see reserve), which the store compares, and a sealed value is never the same twice.
func (s *sealedStore) Create(ctx context.Context, job store.NewJob) (store.Job, bool, error) {
	job.Request, job.Envelope = s.keys.sealRequest(&job)
	stored, created, err := s.Store.Create(ctx, job)
	s.keys.openTexts(&stored)
	return stored, created, err
}

// Get implements store.Jobs.
func (s *sealedStore) Get(ctx context.Context, id string) (store.Job, error) {
	job, err := s.Store.Get(ctx, id)
	s.keys.openTexts(&job)
	return job, err
}

// Result implements store.Jobs.
func (s *sealedStore) Result(ctx context.Context, id string) (store.Job, []byte, error) {
	job, data, err := s.Store.Result(ctx, id)
	s.keys.openTexts(&job)
	return job, s.keys.openResult(job.ID, data), err
}

// List implements store.Jobs.
func (s *sealedStore) List(ctx context.Context, query store.Query) (store.Page, error) {
	page, err := s.Store.List(ctx, query)
	for i := range page.Jobs {
		s.keys.openTexts(&page.Jobs[i])
	}
	return page, err
}

// Cancel implements store.Jobs.
func (s *sealedStore) Cancel(ctx context.Context, id string) (store.Job, error) {
	job, err := s.Store.Cancel(ctx, id)
	s.keys.openTexts(&job)
	return job, err
}

// Retry implements store.Jobs.
func (s *sealedStore) Retry(ctx context.Context, id string, attempts int) (store.Job, error) {
	job, err := s.Store.Retry(ctx, id, attempts)
	s.keys.openTexts(&job)
	return job, err
}

// Join implements store.Workers.
func (s *sealedStore) Join(ctx context.Context, worker string, lease time.Duration) (store.Session, error) {
	session, err := s.Store.Join(ctx, worker, lease)
	if err != nil {
		return nil, err
	}
	return &sealedSession{session, s.keys}, nil
}

// Local implements store.Local for the store within.
func (s *sealedStore) Local() bool { return isLocal(s.Store) }

// Advice implements store.Advisor for the store within.
func (s *sealedStore) Advice(ctx context.Context) []string {
	if advisor, ok := s.Store.(store.Advisor); ok {
		return advisor.Advice(ctx)
	}
	return nil
}

// Err implements store.Configured for the store within.
func (s *sealedStore) Err() error {
	if configured, ok := s.Store.(store.Configured); ok {
		return configured.Err()
	}
	return nil
}

// sealedSession is a session of a sealedStore.
type sealedSession struct {
	store.Session
	keys *keyring
}

// Claim implements store.Session.
func (s *sealedSession) Claim(ctx context.Context, want []store.Want) (store.Batch, error) {
	batch, err := s.Session.Claim(ctx, want)
	for i := range batch.Claims {
		s.keys.openClaim(&batch.Claims[i])
		s.keys.openTexts(&batch.Claims[i].Job)
	}
	return batch, err
}

// Settle implements store.Session.
func (s *sealedSession) Settle(ctx context.Context, ref store.Ref, outcome store.Outcome) (store.State, error) {
	return s.Session.Settle(ctx, ref, s.keys.sealOutcome(ref.ID, outcome))
}

// Report implements store.Session.
func (s *sealedSession) Report(ctx context.Context, ref store.Ref, progress store.Progress) error {
	progress.Message = s.keys.sealText(sealedMessage, ref.ID, progress.Message)
	return s.Session.Report(ctx, ref, progress)
}
