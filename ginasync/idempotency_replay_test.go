package ginasync_test

import (
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRepetitionAnswersWithTheJobAsItIs(t *testing.T) {
	t.Run("while it waits and when it is over", func(t *testing.T) {
		release := make(chan struct{})
		a := newApp(t, func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) { <-release; c.String(http.StatusTeapot, "no") }))
		})
		id := a.submit("/x", "body", "Idempotency-Key", "k")
		a.awaitState(id, store.InProgress)
		got := a.post("/x", "body", "Idempotency-Key", "k")
		assert.Equal(t, http.StatusAccepted, got.StatusCode, "not 409: the client may never have seen the first answer")
		assert.Equal(t, store.InProgress, got.status(t).State)
		assert.Equal(t, "1", got.Header.Get("Retry-After"))
		close(release)
		a.finish(id)

		got = a.post("/x", "body", "Idempotency-Key", "k")
		assert.Equal(t, http.StatusAccepted, got.StatusCode)
		assert.Equal(t, "true", got.Header.Get("Idempotent-Replayed"))
		assert.Equal(t, "/jobs/"+id, got.Header.Get("Location"))
		assert.Equal(t, got.Header.Get("Location"), got.Header.Get("Content-Location"))
		assert.Equal(t, "Prefer", got.Header.Get("Vary"))
		assert.NotContains(t, got.Header, "Retry-After")
		assert.Equal(t, a.get("/jobs/"+id).body, got.body, "the document is the present one")
		assert.Equal(t, store.Failed, got.status(t).State, "also that of a job that failed: a new attempt needs a new key, or retry")
	})

	inBubble(t, "and waits for its result as the first one does", paces, func(t *testing.T, b *bubble) {
		first := b.background(t.Context(), http.MethodPost, "/always", "Prefer", "wait=20", "Idempotency-Key", "k")
		time.Sleep(4 * time.Second)
		start := time.Now()
		again := b.post("/always", "", "Prefer", "wait=20", "Idempotency-Key", "k")
		assert.Equal(t, 6*time.Second, time.Since(start), "it is the same job")
		one := <-first
		for _, name := range []string{"AsyncResult", "Content-Type", "Link", "Preference-Applied"} {
			assert.NotEmpty(t, again.Header.Get(name))
			assert.Equal(t, one.Header.Values(name), again.Header.Values(name))
		}
		assert.Equal(t, one.StatusCode, again.StatusCode)
		assert.Equal(t, one.body, again.body)
		assert.Empty(t, one.Header.Get("Idempotent-Replayed"))
		assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	})

	for path, pace := range map[string]time.Duration{"/wait": 10 * time.Second, "/onprefer": 10 * time.Second} {
		inBubble(t, "and on "+path+" answers what the first one did", paces, func(t *testing.T, b *bubble) {
			start := time.Now()
			one := b.post(path, "", "Idempotency-Key", "k")
			assert.Equal(t, pace, time.Since(start))
			again := b.post(path, "", "Idempotency-Key", "k")
			assert.Equal(t, pace, time.Since(start), "there is nothing to wait for")
			assert.Equal(t, http.StatusCreated, again.StatusCode)
			assert.Equal(t, one.body, again.body)
			assert.Equal(t, "201", again.Header.Get("AsyncResult"))
			assert.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
		})
	}

	inBubble(t, "until its retention is over: then the key is free", func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(text(""), ginasync.Retention(time.Hour)))
	}, func(t *testing.T, b *bubble) {
		id := b.submit("/x", "body", "Idempotency-Key", "k")
		time.Sleep(59 * time.Minute)
		assert.Equal(t, id, b.submit("/x", "body", "Idempotency-Key", "k"))
		time.Sleep(2 * time.Minute)
		assert.NotEqual(t, id, b.submit("/x", "another body", "Idempotency-Key", "k"))
	})
}

func TestRepeatedUploadsAreTheSameWhateverTheirBoundary(t *testing.T) {
	a := newApp(t, func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(func(c *gin.Context) { c.String(http.StatusOK, c.PostForm("name")) }))
	})
	upload := func(name string) answer {
		var body strings.Builder
		w := multipart.NewWriter(&body) // draws a boundary
		require.NoError(t, w.WriteField("name", name))
		require.NoError(t, w.Close())
		return a.post("/x", body.String(), "Content-Type", w.FormDataContentType(), "Idempotency-Key", "k")
	}
	id := upload("ann").status(t).ID
	assert.Equal(t, id, upload("ann").status(t).ID)
	assert.Equal(t, http.StatusUnprocessableEntity, upload("bob").StatusCode)
	a.finish(id)
	assert.Equal(t, "ann", string(a.get("/jobs/"+id+"/result").body))
}

func TestWhatIsStoredOfAnIdempotencyKey(t *testing.T) {
	const secret = "secret-key-0001"
	show := func(r *gin.Engine) {
		r.POST("/x", ginasync.Async(func(c *gin.Context) { _, _ = io.WriteString(c.Writer, c.GetHeader("Idempotency-Key")) }))
	}
	for name, test := range map[string]struct {
		opts       []ginasync.Option
		seen       string
		mayBeThere bool
	}{
		"the handler gets it, to pass it on":                          {nil, secret, true},
		"encrypted, only the handler gets it":                         {[]ginasync.Option{ginasync.WithEncryption(key(1))}, secret, false},
		"named as a credential, it does not leave the process at all": {[]ginasync.Option{ginasync.WithCredentialHeaders("Idempotency-Key")}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			notes := newNotebook()
			a := startApp(t, engine(show), notes, test.opts...)
			id := a.submit("/x", "body", "Idempotency-Key", secret)
			assert.Equal(t, id, a.submit("/x", "body", "Idempotency-Key", secret))
			a.finish(id)
			assert.Equal(t, test.seen, string(a.get("/jobs/"+id+"/result").body))
			assert.Equal(t, test.mayBeThere, strings.Contains(notes.text(), secret))
		})
	}
}
