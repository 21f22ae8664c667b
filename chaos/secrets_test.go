package chaos_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/internal/redistest"
	"github.com/asyncendpoints/gin-async/store"
	"github.com/asyncendpoints/gin-async/store/redisstore"
)

// The marks that requests and results carry. What Redis writes to its disk must not
// have them; each is long enough to be nowhere by chance.
var (
	credentialMarks = []string{"mark-authorization-7c1f", "mark-cookie-51ab", "mark-api-key-93d0", "mark-set-cookie-0e77"}
	contentMarks    = []string{
		"mark-query-b2c4", "mark-header-d9e1", "mark-field-40af", "mark-file-8812", "mark-param-6b3e",
		"mark-result-header-11c9", "mark-result-body-fe02", "mark-problem-2d5b", "mark-progress-a6a6",
	}
)

func TestSecretsAreNotInADumpOfRedis(t *testing.T) {
	key := []byte("0123456789abcdefghijklmnopqrstuv")
	for name, c := range map[string]struct {
		opts   []ginasync.Option
		absent []string
		// present shows that the search would find something.
		present []string
	}{
		"without a key no credential is there": {nil, credentialMarks, contentMarks},
		"with a key nothing of request and result is there": {
			[]ginasync.Option{ginasync.WithEncryption(key)}, append(credentialMarks, contentMarks...), nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			client := redistest.Start(t, "dir "+dir, "rdbcompression no", "appendonly yes", "appendfsync always").Client(t)
			v := openVault(t, client, c.opts...)
			v.submit("/keep/mark-param-6b3e?q=mark-query-b2c4")
			v.submit("/reject/mark-param-6b3e?q=mark-query-b2c4")
			dumps := [][]byte{dump(t, client, dir)} // queued
			v.run(t)
			dumps = append(dumps, dump(t, client, dir)) // in progress, with progress
			close(v.goOn)
			v.awaitEnd(t, store.Completed, store.Failed)
			dumps = append(dumps, dump(t, client, dir)) // completed, failed
			all := bytes.Join(dumps, nil)
			for _, mark := range c.absent {
				assert.NotContains(t, string(all), mark)
			}
			for _, mark := range c.present {
				assert.True(t, bytes.Contains(all, []byte(mark)), mark)
			}
			assert.True(t, bytes.Contains(all, []byte("POST /keep/:param")), "the route is always there")
		})
	}
}

// dump returns all that Redis has written to its disk, after it has written everything.
func dump(t *testing.T, client *redis.Client, dir string) []byte {
	t.Helper()
	require.NoError(t, client.Save(t.Context()).Err())
	var all []byte
	require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		all = append(all, content...)
		return err
	}))
	return all
}

// vault is a service with two routes, one that answers and one that refuses.
type vault struct {
	engine  *gin.Engine
	store   *redisstore.Store
	worker  *ginasync.Manager
	ids     []string
	running chan struct{}
	goOn    chan struct{}
}

func openVault(t *testing.T, client *redis.Client, opts ...ginasync.Option) *vault {
	t.Helper()
	gin.SetMode(gin.TestMode)
	v := &vault{store: redisstore.New(client), running: make(chan struct{}, 2), goOn: make(chan struct{})}
	opts = append(opts,
		ginasync.WithStore(v.store), ginasync.WithCredentialHeaders("X-Api-Key"),
		ginasync.WithLogger(slog.New(slog.DiscardHandler)))
	var front *ginasync.Manager
	v.engine, front = v.open(t, append(opts, ginasync.WithoutWorkers()))
	_, v.worker = v.open(t, opts)
	require.NoError(t, front.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() { require.NoError(t, front.Shutdown(context.Background())) })
	return v
}

func (v *vault) open(t *testing.T, opts []ginasync.Option) (*gin.Engine, *ginasync.Manager) {
	t.Helper()
	engine := gin.New()
	engine.POST("/keep/:param", ginasync.Async(func(c *gin.Context) {
		v.work(c)
		c.Header("X-Kept", "mark-result-header-11c9")
		c.SetCookie("session", "mark-set-cookie-0e77", 60, "/", "", true, true)
		c.String(http.StatusOK, "mark-result-body-fe02")
	}))
	engine.POST("/reject/:param", ginasync.Async(func(c *gin.Context) {
		v.work(c)
		c.Header("Content-Type", "application/problem+json")
		c.String(http.StatusUnprocessableEntity, `{"title": "no", "detail": "mark-problem-2d5b"}`)
	}))
	manager, err := ginasync.New(engine, opts...)
	require.NoError(t, err)
	return engine, manager
}

// work reports and waits until it may go on.
func (v *vault) work(c *gin.Context) {
	if err := ginasync.Progress(c, 50, "mark-progress-a6a6"); err != nil {
		_ = c.Error(err)
	}
	v.running <- struct{}{}
	select {
	case <-v.goOn:
	case <-c.Done():
	}
}

// submit sends a form with a file, and credentials.
func (v *vault) submit(target string) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	_ = form.WriteField("field", "mark-field-40af")
	file, _ := form.CreateFormFile("file", "file.bin")
	_, _ = file.Write([]byte("mark-file-8812"))
	_ = form.Close()
	request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, target, &body)
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Authorization", "Bearer mark-authorization-7c1f")
	request.Header.Set("Cookie", "session=mark-cookie-51ab")
	request.Header.Set("X-Api-Key", "mark-api-key-93d0")
	request.Header.Set("X-Other", "mark-header-d9e1")
	recorder := httptest.NewRecorder()
	v.engine.ServeHTTP(recorder, request)
	var status ginasync.Status
	if json.Unmarshal(recorder.Body.Bytes(), &status) == nil && status.ID != "" {
		v.ids = append(v.ids, status.ID)
	}
}

// run starts the worker and waits until both handlers wait.
func (v *vault) run(t *testing.T) {
	t.Helper()
	require.Len(t, v.ids, 2)
	require.NoError(t, v.worker.Start(context.WithoutCancel(t.Context())))
	t.Cleanup(func() { require.NoError(t, v.worker.Shutdown(context.Background())) })
	for range v.ids {
		select {
		case <-v.running:
		case <-time.After(patience):
			require.Fail(t, "the handlers did not run")
		}
	}
}

// awaitEnd waits until the jobs have ended, each as told.
func (v *vault) awaitEnd(t *testing.T, states ...store.State) {
	t.Helper()
	for i, id := range v.ids {
		var job store.Job
		require.Eventually(t, func() bool {
			var err error
			job, err = v.store.Get(t.Context(), id)
			return err == nil && job.State.Terminal()
		}, patience, 10*time.Millisecond)
		assert.Equal(t, states[i], job.State)
	}
}
