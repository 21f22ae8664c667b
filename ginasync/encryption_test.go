package ginasync_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// marks are words that a request or a result says, by where. Each is in one place only.
func marks() map[string]string {
	m := make(map[string]string)
	for _, place := range []string{
		"body", "query", "path", "header", "authorization", "cookie", "key", "result", "result header",
		"content type", "problem title", "problem detail", "message",
	} {
		m[place] = "mark-of-" + strings.ReplaceAll(place, " ", "-")
	}
	return m
}

// markedRoute answers with marks what came with marks. It fails when the query says so.
func markedRoute(m map[string]string) func(r *gin.Engine) {
	return func(r *gin.Engine) {
		r.POST("/x/:id", func(c *gin.Context) { c.Set("user", m["key"]) }, ginasync.Async(func(c *gin.Context) {
			body, _ := c.GetRawData()
			cookie, _ := c.Cookie("session")
			came := []string{
				string(body), c.Query("q"), c.Param("id"), c.GetHeader("X-Mark"), c.GetHeader("Authorization"), cookie, c.GetString("user"),
			}
			if err := ginasync.Progress(c, 50, m["message"]); err != nil {
				c.Status(http.StatusTeapot)
				return
			}
			if c.Query("fail") != "" {
				c.Header("Content-Type", "application/problem+json")
				c.String(http.StatusUnprocessableEntity, `{"title":%q,"detail":%q}`, m["problem title"], m["problem detail"])
				return
			}
			c.Header("X-Result", m["result header"])
			c.Data(http.StatusOK, `text/plain; name="`+m["content type"]+`"`, []byte(m["result"]+" "+strings.Join(came, " ")))
		}, ginasync.CaptureKey[string]("user")))
	}
}

// submitMarked sends a request with all the marks that it can carry.
func submitMarked(a *app, m map[string]string, query string) string {
	return a.submit("/x/"+m["path"]+"?q="+m["query"]+query, m["body"],
		"X-Mark", m["header"], "Authorization", m["authorization"], "Cookie", "session="+m["cookie"])
}

func TestEncryption(t *testing.T) {
	m := marks()
	t.Run("leaves nothing of request and result to be read in the store, and both arrive whole", func(t *testing.T) {
		notes := newNotebook()
		a := startApp(t, engine(markedRoute(m)), notes, ginasync.WithEncryption(key(1)))
		good, bad := submitMarked(a, m, ""), submitMarked(a, m, "&fail=1")
		a.finish(good)
		a.finish(bad)

		for place, mark := range m {
			assert.NotContains(t, notes.text(), mark, place)
		}
		for _, readable := range []string{"POST /x/:id", "handler-failed", "Status:422", "default"} {
			assert.Contains(t, notes.text(), readable, "the notebook has what may be read")
		}

		status := a.get("/jobs/" + good).status(t)
		assert.Equal(t, m["message"], status.Progress.Message)
		assert.Equal(t, `text/plain; name="`+m["content type"]+`"`, status.Response.ContentType)
		result := a.get("/jobs/" + good + "/result")
		assert.Equal(t, "200", result.Header.Get("AsyncResult"))
		assert.Equal(t, m["result header"], result.Header.Get("X-Result"))
		for _, place := range []string{"result", "body", "query", "path", "header", "authorization", "cookie", "key"} {
			assert.Contains(t, string(result.body), m[place], place)
		}
		assert.Equal(t, m["problem title"]+": "+m["problem detail"], a.get("/jobs/"+bad).status(t).Error.Detail)
	})

	t.Run("is off by default: the notebook would show it", func(t *testing.T) {
		notes := newNotebook()
		a := startApp(t, engine(markedRoute(m)), notes)
		a.finish(submitMarked(a, m, ""))
		a.finish(submitMarked(a, m, "&fail=1"))
		for place, mark := range m {
			if place == "authorization" || place == "cookie" {
				assert.NotContains(t, notes.text(), mark, place)
				continue
			}
			assert.Contains(t, notes.text(), mark, place)
		}
	})

	t.Run("hides what is retried too", func(t *testing.T) {
		notes := newNotebook()
		a := startApp(t, engine(func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(func(c *gin.Context) {
				c.Header("Content-Type", "application/problem+json")
				c.String(http.StatusServiceUnavailable, `{"title":"mark-of-retry"}`)
			}))
		}), notes, ginasync.WithEncryption(key(1)))
		id := a.submit("/x", "")
		job := a.awaitState(id, store.Scheduled)
		assert.NotContains(t, job.Problem.Detail, "mark-of-retry", "in the store")
		assert.NotContains(t, notes.text(), "mark-of-retry")
		assert.Equal(t, "mark-of-retry", a.get("/jobs/"+id).status(t).Error.Detail)
	})

	t.Run("opens what an old key has sealed, and seals with the new one", func(t *testing.T) {
		s := newRemoteStore()
		before := startApp(t, engine(markedRoute(m)), s, ginasync.WithEncryption(key(1)))
		done := submitMarked(before, m, "")
		before.finish(done)
		require.NoError(t, before.jobs.Shutdown(t.Context()))
		waiting := submitMarked(before, m, "")

		both := startApp(t, engine(markedRoute(m)), s, ginasync.WithEncryption(key(2), key(1)))
		assert.Contains(t, string(both.get("/jobs/"+done+"/result").body), m["body"])
		assert.Equal(t, m["message"], both.get("/jobs/"+done).status(t).Progress.Message)
		assert.Equal(t, store.Completed, both.finish(waiting).State)

		after := startApp(t, engine(markedRoute(m)), s, ginasync.WithEncryption(key(2)), ginasync.WithoutWorkers())
		assert.Contains(t, string(after.get("/jobs/"+waiting+"/result").body), m["body"])
		assert.Contains(t, after.get("/jobs/"+done+"/result").problem(t).Type, "#result-sealed", "the old key is gone")
	})

	t.Run("runs and shows what was stored before there were keys", func(t *testing.T) {
		s := newRemoteStore()
		before := startApp(t, engine(markedRoute(m)), s)
		good, bad := submitMarked(before, m, ""), submitMarked(before, m, "&fail=1")
		before.finish(good)
		before.finish(bad)
		require.NoError(t, before.jobs.Shutdown(t.Context()))
		waiting := submitMarked(before, m, "")

		after := startApp(t, engine(markedRoute(m)), s, ginasync.WithEncryption(key(1)))
		assert.Equal(t, store.Completed, after.finish(waiting).State)
		for _, id := range []string{good, waiting} {
			assert.Contains(t, string(after.get("/jobs/"+id+"/result").body), m["body"])
			assert.Equal(t, m["message"], after.get("/jobs/"+id).status(t).Progress.Message)
		}
		assert.Contains(t, after.get("/jobs/"+bad).status(t).Error.Detail, m["problem detail"])
	})
}

func TestWithoutTheKey(t *testing.T) {
	m := marks()
	strangers := map[string]struct {
		opts []ginasync.Option
		why  string
	}{
		"another key": {[]ginasync.Option{ginasync.WithEncryption(key(2))}, "is none of those given to WithEncryption"},
		"no key":      {nil, "there is no WithEncryption"},
	}
	for name, stranger := range strangers {
		t.Run("a worker with "+name+" fails the job once, and a retry with the key runs it", func(t *testing.T) {
			s := newRemoteStore()
			owner := startApp(t, engine(markedRoute(m)), s, ginasync.WithEncryption(key(1)), ginasync.WithoutWorkers())
			id := submitMarked(owner, m, "")

			var log logbook
			other := startApp(t, engine(markedRoute(m)), s, append(stranger.opts, log.option())...)
			job := other.finish(id)
			require.NoError(t, other.jobs.Shutdown(t.Context()))
			assert.Equal(t, store.Failed, job.State)
			assert.Equal(t, 1, job.Attempt, "no attempt will change it")
			status := owner.get("/jobs/" + id).status(t)
			assert.Contains(t, status.Error.Type, "#request-sealed")
			assert.Equal(t, "stored request cannot be opened", status.Error.Title)
			assert.Contains(t, status.Error.Detail, "a key that the worker does not have", "the owner of the key can read it")
			said := log.with("stored request cannot be read")
			require.Len(t, said, 1)
			for _, part := range []string{"level=ERROR", id, "POST /x/:id", stranger.why} {
				assert.Contains(t, said[0], part)
			}

			worker := startApp(t, engine(markedRoute(m)), s, ginasync.WithEncryption(key(1)))
			assert.Equal(t, http.StatusAccepted, owner.post("/jobs/"+id+"/retry", "").StatusCode)
			assert.Equal(t, store.Completed, worker.finish(id).State)
			assert.Contains(t, string(owner.get("/jobs/"+id+"/result").body), m["body"])
		})

		t.Run("a process with "+name+" shows neither result nor texts, and no sealed bytes", func(t *testing.T) {
			s := newRemoteStore()
			owner := startApp(t, engine(markedRoute(m)), s, ginasync.WithEncryption(key(1)))
			good, bad := submitMarked(owner, m, ""), submitMarked(owner, m, "&fail=1")
			owner.finish(good)
			owner.finish(bad)

			var log logbook
			other := startApp(t, engine(markedRoute(m)), s, append(stranger.opts, log.option(), ginasync.WithoutWorkers())...)
			got := other.get("/jobs/" + good + "/result")
			assert.Equal(t, http.StatusInternalServerError, got.StatusCode)
			assert.Contains(t, got.problem(t).Type, "#result-sealed")
			assert.Empty(t, got.Header.Get("AsyncResult"))
			said := log.with("request failed")
			require.Len(t, said, 1)
			assert.Contains(t, said[0], good)
			assert.Contains(t, said[0], stranger.why)

			shown := other.get("/jobs/" + good)
			assert.Equal(t, "(encrypted with a key that this process does not have)", shown.status(t).Progress.Message)
			assert.Empty(t, shown.status(t).Response.ContentType)
			assert.Equal(t, http.StatusOK, shown.status(t).Response.Status)
			failed := other.get("/jobs/" + bad)
			assert.Equal(t, "(encrypted with a key that this process does not have)", failed.status(t).Error.Detail)
			for _, body := range [][]byte{shown.body, failed.body, got.body} {
				assert.NotContains(t, string(body), "ginasync-sealed")
			}
		})
	}

	t.Run("code is shown no sealed bytes either", func(t *testing.T) {
		s := newRemoteStore()
		owner := startApp(t, engine(markedRoute(m)), s, ginasync.WithEncryption(key(1)))
		id := submitMarked(owner, m, "&fail=1")
		owner.finish(id)
		other := startApp(t, engine(markedRoute(m)), s, ginasync.WithEncryption(key(2)), ginasync.WithoutWorkers())
		for _, look := range []func(context.Context, string) (ginasync.Job, error){other.jobs.Get, other.jobs.Cancel, other.jobs.Retry} {
			job, _ := look(t.Context(), id)
			assert.Equal(t, id, job.ID)
			assert.NotContains(t, fmt.Sprintf("%+v", job), "ginasync-sealed")
		}
	})

	t.Run("a job without a response shows its problem", func(t *testing.T) {
		s := newRemoteStore()
		owner := startApp(t, engine(func(r *gin.Engine) {
			r.POST("/x", ginasync.Async(text("too long"), ginasync.MaxResult(1)))
		}), s, ginasync.WithEncryption(key(1)))
		id := owner.submit("/x", "")
		owner.finish(id)
		assert.Contains(t, owner.get("/jobs/"+id+"/result").problem(t).Detail, "more than 1 bytes")
		other := startApp(t, gin.New(), s, ginasync.WithoutWorkers())
		assert.Equal(t, "(encrypted with a key that this process does not have)", other.get("/jobs/"+id+"/result").problem(t).Detail)
	})
}
