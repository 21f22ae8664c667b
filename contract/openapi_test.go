package contract_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/gin-gonic/gin"
	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// witness holds exchanges with a service against the document that it serves.
type witness struct {
	*service
	t         *testing.T
	validator validator.Validator
	lenient   validator.Validator
}

func newWitness(t *testing.T, opts ...ginasync.Option) *witness {
	t.Helper()
	s := startService(t, opts...)
	w := &witness{service: s, t: t}
	served := w.send(http.MethodGet, "/jobs/openapi.json", "")
	require.Equal(t, http.StatusOK, served.StatusCode)
	// Strict, it takes members and headers that are not described for mistakes. What a
	// handler answers is its own.
	w.validator = newValidator(t, served.body, config.WithStrictMode(),
		config.WithStrictIgnoredHeadersExtra("X-Accel-Buffering")) // for nginx, which takes it out
	w.lenient = newValidator(t, served.body)
	return w
}

func newValidator(t *testing.T, data []byte, opts ...config.Option) validator.Validator {
	t.Helper()
	document, err := libopenapi.NewDocument(data)
	require.NoError(t, err)
	v, errs := validator.NewValidator(document, append(opts, config.WithFormatAssertions())...)
	require.Empty(t, errs)
	return v
}

// answer is a response that was read to its end.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) job(t *testing.T) ginasync.Status {
	t.Helper()
	var status ginasync.Status
	require.NoError(t, json.Unmarshal(a.body, &status), "%s", a.body)
	return status
}

// send sends a request; header holds names and values in turn.
func (w *witness) send(method, path, body string, header ...string) answer {
	w.t.Helper()
	resp, err := w.Client().Do(w.request(method, path, body, header))
	require.NoError(w.t, err)
	defer func() { require.NoError(w.t, resp.Body.Close()) }()
	data, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	return answer{resp, data}
}

func (w *witness) request(method, path, body string, header []string) *http.Request {
	w.t.Helper()
	var content io.Reader = http.NoBody
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.URL+path, content)
	require.NoError(w.t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return req
}

// exchange is send for an exchange that has to be as the document says.
func (w *witness) exchange(status int, method, path, body string, header ...string) answer {
	w.t.Helper()
	got := w.send(method, path, body, header...)
	require.Equal(w.t, status, got.StatusCode, "%s", got.body)
	assert.Empty(w.t, w.faults(w.request(method, path, body, header), got), "%s %s: %s", method, path, got.body)
	return got
}

// faults tells in what an answer differs from the document.
func (w *witness) faults(req *http.Request, got answer) []string {
	resp := *got.Response
	resp.Body = io.NopCloser(bytes.NewReader(got.body))
	judge := w.validator
	if resp.Header.Get("AsyncResult") != "" {
		judge = w.lenient
	}
	_, problems := judge.ValidateHttpResponse(req, &resp)
	var all []string
	for _, problem := range problems {
		all = append(all, problem.Message+": "+problem.Reason)
	}
	return all
}

// accepts reports whether the document has nothing against a request.
func (w *witness) accepts(method, path, body string, header ...string) bool {
	w.t.Helper()
	fits, problems := w.lenient.ValidateHttpRequestSync(w.request(method, path, body, header))
	for _, problem := range problems {
		w.t.Log(problem.Message, problem.Reason)
	}
	return fits
}

func TestOpenAPIDocument(t *testing.T) {
	for name, opts := range map[string][]ginasync.Option{
		"plain":           nil,
		"with a base URL": {ginasync.WithBaseURL("https://api.example.com/v2")},
	} {
		t.Run("is accepted by a validator, "+name, func(t *testing.T) {
			w := newWitness(t, opts...)
			fits, problems := w.validator.ValidateDocument()
			for _, problem := range problems {
				t.Log(problem.Message, problem.Reason, problem.SchemaValidationErrors)
			}
			assert.True(t, fits)
		})
	}

	t.Run("is not accepted when it is wrong", func(t *testing.T) {
		w := newWitness(t)
		data, err := w.jobs.OpenAPI()
		require.NoError(t, err)
		fits, _ := newValidator(t, bytes.Replace(data, []byte(`"in": "path"`), []byte(`"in": "nowhere"`), 1)).ValidateDocument()
		assert.False(t, fits)
	})
}

const jsonType = "application/json"

func TestOpenAPIAnswers(t *testing.T) {
	w := newWitness(t)
	title := `{"title":"sales","rows":[{"n":1,"children":[{"n":2}]}],"due":"2026-11-24T00:00:00Z"}`

	accepted := w.exchange(http.StatusAccepted, http.MethodPost, "/reports/2026", title, "Content-Type", jsonType, "X-Tenant", "a")
	one := accepted.Header.Get("Location")
	w.exchange(http.StatusOK, http.MethodGet, one, "", "Prefer", "wait=20")
	completed := w.exchange(http.StatusOK, http.MethodGet, one, "")
	assert.NotNil(t, completed.job(t).Progress)
	w.exchange(http.StatusNotModified, http.MethodGet, one, "", "If-None-Match", completed.Header.Get("ETag"))
	assert.JSONEq(t, `{"year":2026,"title":"sales","rows":[{"n":1,"children":[{"n":2,"children":null}]}],"note":null}`,
		string(w.exchange(http.StatusOK, http.MethodGet, one+"/result", "").body))
	words := w.exchange(http.StatusAccepted, http.MethodGet, "/reports/2026", "", "Prefer", "respond-async").Header.Get("Location")
	w.exchange(http.StatusOK, http.MethodGet, words, "", "Prefer", "wait=20")
	w.exchange(http.StatusPartialContent, http.MethodGet, words+"/result", "", "Range", "bytes=0-1")
	w.exchange(http.StatusRequestedRangeNotSatisfiable, http.MethodGet, one+"/result", "", "Range", "bytes=999-")
	w.exchange(http.StatusOK, http.MethodGet, one+"/result?envelope=1", "")
	w.exchange(http.StatusOK, http.MethodGet, one+"/events", "", "Accept", "text/event-stream")
	w.exchange(http.StatusNoContent, http.MethodGet, one+"/events", "", "Accept", "text/event-stream", "Last-Event-ID", "99")
	w.exchange(http.StatusNotAcceptable, http.MethodGet, one+"/events", "", "Accept", jsonType)
	w.exchange(http.StatusConflict, http.MethodPost, one+"/cancel", "")
	w.exchange(http.StatusConflict, http.MethodPost, one+"/retry", "")

	inline := w.exchange(http.StatusOK, http.MethodPost, "/reports/2026", title, "Content-Type", jsonType, "X-Tenant", "a", "Prefer", "wait=20")
	assert.Equal(t, "200", inline.Header.Get("AsyncResult"))
	failed := w.exchange(http.StatusInternalServerError, http.MethodPost, "/reports/2026", `{"title":"fail"}`, "Content-Type", jsonType, "X-Tenant", "a", "Prefer", "wait=20")
	two := strings.Trim(strings.TrimSuffix(failed.Header.Get("Link"), `; rel="monitor"`), "<>")
	assert.Contains(t, w.exchange(http.StatusOK, http.MethodGet, two, "").job(t).Error.Type, "#handler-failed")
	w.exchange(http.StatusInternalServerError, http.MethodGet, two+"/result", "")
	w.exchange(http.StatusAccepted, http.MethodPost, two+"/retry", "")

	w.exchange(http.StatusNoContent, http.MethodDelete, one, "")
	w.exchange(http.StatusNotFound, http.MethodDelete, one, "")

	w.exchange(http.StatusBadRequest, http.MethodPost, "/reports/2026", `{"title":5}`, "Content-Type", jsonType)
	w.exchange(http.StatusUnsupportedMediaType, http.MethodPost, "/reports/2026", `<a/>`, "Content-Type", "text/xml")
	w.exchange(http.StatusOK, http.MethodGet, "/reports/2026", "")
	w.exchange(http.StatusTeapot, http.MethodPut, "/files/a", "x", "Prefer", "wait=20")
	w.exchange(http.StatusRequestEntityTooLarge, http.MethodPut, "/files/a", strings.Repeat("x", 11<<20))

	for _, path := range []string{"", "/result", "/events"} {
		w.exchange(http.StatusNotFound, http.MethodGet, "/jobs/nonsense"+path, "")
	}
	for _, path := range []string{"/cancel", "/retry"} {
		w.exchange(http.StatusNotFound, http.MethodPost, "/jobs/nonsense"+path, "")
	}
}

func TestOpenAPIAnswersOfUnfinishedJobs(t *testing.T) {
	w := newWitness(t)
	running := w.exchange(http.StatusAccepted, http.MethodPost, "/slow", "").Header.Get("Location")
	for w.send(http.MethodGet, running, "").job(t).State == "queued" {
		w.exchange(http.StatusConflict, http.MethodGet, running+"/result", "")
	}
	assert.EqualValues(t, "in_progress", w.exchange(http.StatusOK, http.MethodGet, running, "").job(t).State)
	w.exchange(http.StatusConflict, http.MethodGet, running+"/result", "", "Prefer", "wait=0")
	w.exchange(http.StatusAccepted, http.MethodPost, running+"/cancel", "")
	canceled := w.exchange(http.StatusOK, http.MethodGet, running, "", "Prefer", "wait=20")
	assert.EqualValues(t, "canceled", canceled.job(t).State)
	w.exchange(http.StatusConflict, http.MethodGet, running+"/result", "")
	w.exchange(http.StatusOK, http.MethodPost, running+"/cancel", "")

	created := w.exchange(http.StatusAccepted, http.MethodPost, "/slow", "").Header.Get("Location")
	w.release()
	w.exchange(http.StatusCreated, http.MethodGet, created+"/result", "", "Prefer", "wait=20")

	w.exchange(http.StatusAccepted, http.MethodDelete, w.exchange(http.StatusAccepted, http.MethodPost, "/later", "").Header.Get("Location"), "")
	w.exchange(http.StatusAccepted, http.MethodPost, "/later", "a", "Idempotency-Key", "k")
	w.exchange(http.StatusAccepted, http.MethodPost, "/later", "a", "Idempotency-Key", "k")
	w.exchange(http.StatusUnprocessableEntity, http.MethodPost, "/later", "b", "Idempotency-Key", "k")
	w.exchange(http.StatusBadRequest, http.MethodPost, "/later", "b", "Idempotency-Key", "k\u00e4")
	later := w.exchange(http.StatusAccepted, http.MethodPost, "/later", "", "Prefer", "respond-async")
	assert.EqualValues(t, "scheduled", later.job(t).State)
	assert.NotNil(t, later.job(t).NextAttemptAt)
}

func TestOpenAPIAnswersToOwners(t *testing.T) {
	w := newWitness(t,
		ginasync.WithMaxQueuedPerOwner(3),
		ginasync.WithOwner(func(c *gin.Context) string { return c.GetHeader("User") }),
		ginasync.WithAuthorize(func(_ *gin.Context, _ ginasync.Job, action ginasync.Action) error {
			if action == ginasync.ActionCancel {
				return errors.New("not so")
			}
			return nil
		}))
	w.exchange(http.StatusForbidden, http.MethodPost, "/later", "")
	var one string
	for range 3 {
		one = w.exchange(http.StatusAccepted, http.MethodPost, "/later", "", "User", "ann").Header.Get("Location")
	}
	w.exchange(http.StatusTooManyRequests, http.MethodPost, "/later", "", "User", "ann")
	w.exchange(http.StatusForbidden, http.MethodPost, one+"/cancel", "", "User", "ann")
	w.exchange(http.StatusNotFound, http.MethodGet, one, "", "User", "bob")
	w.exchange(http.StatusOK, http.MethodGet, "/jobs", "", "User", "ann")
	w.exchange(http.StatusOK, http.MethodGet, "/jobs?page_size=1&state=scheduled,queued", "", "User", "ann")
	w.exchange(http.StatusBadRequest, http.MethodGet, "/jobs?state=none", "", "User", "ann")
	w.exchange(http.StatusForbidden, http.MethodGet, "/jobs", "")
}

func TestOpenAPIWitness(t *testing.T) {
	w := newWitness(t)
	accepted := w.send(http.MethodPost, "/slow", "")
	req := w.request(http.MethodPost, "/slow", "", nil)
	assert.Empty(t, w.faults(req, accepted))

	t.Run("sees a member of another type", func(t *testing.T) {
		wrong := answer{accepted.Response, bytes.Replace(accepted.body, []byte(`"done":false`), []byte(`"done":"no"`), 1)}
		assert.NotEmpty(t, w.faults(req, wrong))
	})

	t.Run("sees a member that is not described", func(t *testing.T) {
		wrong := answer{accepted.Response, bytes.Replace(accepted.body, []byte(`"done"`), []byte(`"x":1,"done"`), 1)}
		assert.NotEmpty(t, w.faults(req, wrong))
	})

	t.Run("sees a header that is not described", func(t *testing.T) {
		wrong := *accepted.Response
		wrong.Header = wrong.Header.Clone()
		wrong.Header.Set("Job-Colour", "red")
		assert.NotEmpty(t, w.faults(req, answer{&wrong, accepted.body}))
	})

	t.Run("sees a status that is not described", func(t *testing.T) {
		wrong := *accepted.Response
		wrong.StatusCode = http.StatusTeapot
		get := w.request(http.MethodGet, "/jobs/x", "", nil)
		assert.NotEmpty(t, w.faults(get, answer{&wrong, accepted.body}))
	})
}

// TestOpenAPIRequests: the document refuses what the service answers 400, and takes what
// it accepts.
func TestOpenAPIRequests(t *testing.T) {
	w := newWitness(t)
	typed := []string{"Content-Type", jsonType, "X-Tenant", "a"}
	for name, request := range map[string]struct {
		path, body string
		header     []string
		fits       bool
	}{
		"all of it":                  {"/reports/2026?draft=false&tag=a&tag=b", `{"title":"a","kind":"yearly","totals":{"a":1.5},"due":"2026-11-24T00:00:00Z"}`, typed, true},
		"the least":                  {"/reports/2026", `{"title":"a"}`, typed, true},
		"no title":                   {"/reports/2026", `{}`, typed, false},
		"a long title":               {"/reports/2026", `{"title":"` + strings.Repeat("a", 21) + `"}`, typed, false},
		"another type":               {"/reports/2026", `{"title":5}`, typed, false},
		"no year":                    {"/reports/x", `{"title":"a"}`, typed, false},
		"an early year":              {"/reports/1800", `{"title":"a"}`, typed, false},
		"no tenant":                  {"/reports/2026", `{"title":"a"}`, typed[:2], false},
		"a bad row within":           {"/reports/2026", `{"title":"a","rows":[{"n":-1}]}`, typed, false},
		"a query that is no boolean": {"/reports/2026?draft=x", `{"title":"a"}`, typed, false},
	} {
		t.Run(name, func(t *testing.T) {
			got := w.send(http.MethodPost, request.path, request.body, request.header...)
			assert.Equal(t, request.fits, got.StatusCode == http.StatusAccepted, "the service: %s", got.body)
			assert.Equal(t, request.fits, w.accepts(http.MethodPost, request.path, request.body, request.header...), "the document")
		})
	}

	t.Run("without a body the query has to be there", func(t *testing.T) {
		assert.True(t, w.accepts(http.MethodDelete, "/all/x?before=2026-11-24T00:00:00Z", ""))
		assert.False(t, w.accepts(http.MethodDelete, "/all/x", ""))
		assert.Equal(t, http.StatusBadRequest, w.send(http.MethodDelete, "/all/x", "").StatusCode)
	})
}
