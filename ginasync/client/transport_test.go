package client_test

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync"
	"github.com/asyncendpoints/gin-async/ginasync/client"
	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// once is for routes whose failures are final.
func once() ginasync.RouteOption { return ginasync.MaxAttempts(1) }

func TestTheResponseIsTheHandlers(t *testing.T) {
	for name, handler := range map[string]gin.HandlerFunc{
		"200 with JSON":          func(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"pages": 12}) },
		"201 with a Location":    func(c *gin.Context) { c.Header("Location", "http://example.com/reports/7"); c.Status(201) },
		"202 of its own":         func(c *gin.Context) { c.Header("Location", "/x"); c.JSON(202, gin.H{"id": "7"}) },
		"204 without content":    func(c *gin.Context) { c.Status(http.StatusNoContent) },
		"303 that is followed":   func(c *gin.Context) { c.Redirect(http.StatusSeeOther, "/there") },
		"303 to a sibling":       func(c *gin.Context) { c.Header("Location", "there"); c.Status(http.StatusSeeOther) },
		"a binary body":          func(c *gin.Context) { c.Data(200, "application/octet-stream", []byte("\x00\xff\r\n\x00")) },
		"an echo of the request": echo,
		"several values of a header": func(c *gin.Context) {
			c.Writer.Header()["X-Values"] = []string{"one", "two"}
			c.String(http.StatusOK, "values")
		},
		"400": func(c *gin.Context) { c.JSON(http.StatusBadRequest, gin.H{"error": "no"}) },
		"401": func(c *gin.Context) { c.Header("WWW-Authenticate", "Basic"); c.Status(http.StatusUnauthorized) },
		"404": func(c *gin.Context) { c.String(http.StatusNotFound, "no such report") },
		"409": func(c *gin.Context) { c.String(http.StatusConflict, "there is one already") },
		"410": func(c *gin.Context) { c.Status(http.StatusGone) },
		"429": func(c *gin.Context) { c.Header("Retry-After", "7"); c.String(http.StatusTooManyRequests, "slowly") },
		"500": func(c *gin.Context) { c.String(http.StatusInternalServerError, "broken") },
		"503": func(c *gin.Context) { c.String(http.StatusServiceUnavailable, "away") },
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t, func(r *gin.Engine) {
				r.POST("/sync", handler)
				r.POST("/async", ginasync.Async(handler, once()))
				r.GET("/there", func(c *gin.Context) { c.String(http.StatusOK, "there") })
			})
			want := s.post(newClient(t), "/sync", "a body")
			got := s.post(newClient(t), "/async", "a body")
			assert.Equal(t, want.StatusCode, got.StatusCode)
			assert.Equal(t, want.body, got.body)
			for name := range want.Header {
				if name != "Date" {
					assert.Equal(t, want.Header[name], got.Header[name], name)
				}
			}
			if want.Request.Method == http.MethodPost { // it was no redirect
				assert.Contains(t, got.Header, "Asyncresult")
			}
		})
	}
}

func echo(c *gin.Context) {
	body, _ := io.ReadAll(c.Request.Body)
	c.String(http.StatusOK, "%s %s %s", c.Request.Method, c.GetHeader("Content-Type"), body)
}

func TestTheRequestIsTheCallers(t *testing.T) {
	s := newService(t, func(r *gin.Engine) { r.POST("/async", ginasync.Async(echo)) })
	c := newClient(t)
	req := request(t, http.MethodPost, s.url+"/async", "a body")
	req.Header.Set("Content-Type", "text/plain")
	before := req.Header.Clone()
	resp, err := c.Transport.RoundTrip(req)
	require.NoError(t, err)
	assert.Same(t, req, resp.Request)
	assert.Equal(t, before, req.Header)
	assert.Equal(t, "POST text/plain a body", read(t, resp).body)
}

func TestAJobTakesOneRequestForItsWait(t *testing.T) {
	h := newHeld()
	s := newService(t, func(r *gin.Engine) { r.POST("/held", ginasync.Async(h.handle)) })
	done := background(newClient(t), request(t, http.MethodPost, s.url+"/held", ""))
	id := <-h.started
	h.release <- struct{}{}
	got := <-done
	require.NoError(t, got.err)
	assert.Equal(t, "released at attempt 1", read(t, got.resp).body)
	assert.Equal(t, []string{"POST /held", "GET /jobs/" + id + "/result"}, s.requests())
}

func TestOtherAnswersPassThrough(t *testing.T) {
	s := newService(t, func(r *gin.Engine) {
		r.Any("/async", ginasync.Async(echo))
		r.POST("/wait", ginasync.Async(echo, ginasync.Wait(patience)))
		r.GET("/plain", func(c *gin.Context) { c.String(http.StatusOK, "plain") })
	})
	c := newClient(t)
	t.Run("a route that is not asynchronous", func(t *testing.T) {
		assert.Equal(t, "plain", do(t, c, request(t, http.MethodGet, s.url+"/plain", "")).body)
	})
	t.Run("a route that answers in time itself", func(t *testing.T) {
		s.requests()
		got := s.post(c, "/wait", "quick")
		assert.Equal(t, "POST  quick", got.body)
		assert.Equal(t, []string{"POST /wait"}, s.requests())
	})
	t.Run("HEAD and OPTIONS", func(t *testing.T) {
		assert.Equal(t, http.StatusMethodNotAllowed, do(t, c, request(t, http.MethodHead, s.url+"/async", "")).StatusCode)
		assert.Equal(t, http.StatusNoContent, do(t, c, request(t, http.MethodOptions, s.url+"/async", "")).StatusCode)
	})
	t.Run("an unknown route", func(t *testing.T) {
		assert.Equal(t, http.StatusNotFound, s.post(c, "/unknown", "").StatusCode)
	})
	t.Run("the status routes themselves", func(t *testing.T) {
		assert.Equal(t, http.StatusNotFound, do(t, c, request(t, http.MethodGet, s.url+"/jobs/unknown", "")).StatusCode)
	})
}

func TestAnyMethodMayBecomeAJob(t *testing.T) {
	s := newService(t, func(r *gin.Engine) { r.Any("/async", ginasync.Async(echo)) })
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete} {
		got := do(t, newClient(t), request(t, method, s.url+"/async", "body"))
		assert.Equal(t, method+"  body", got.body)
	}
}

func TestALargeBodyIsTheHandlers(t *testing.T) {
	large := make([]byte, 5<<20)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(large)
	s := newService(t, func(r *gin.Engine) {
		r.POST("/async", ginasync.Async(func(c *gin.Context) {
			body, _ := io.ReadAll(c.Request.Body)
			c.Data(http.StatusOK, "application/octet-stream", body)
		}))
	})
	got := s.post(newClient(t), "/async", string(large))
	assert.True(t, bytes.Equal(large, []byte(got.body)))
	assert.Equal(t, int64(len(large)), got.ContentLength)
}

func TestAFailedAttemptIsRetriedBeforeTheResponse(t *testing.T) {
	s := newService(t, func(r *gin.Engine) {
		r.POST("/flaky", ginasync.Async(func(c *gin.Context) {
			attempt, _ := ginasync.FromContext(c.Request.Context())
			if attempt.Number < 3 {
				c.Header("Retry-After", "0")
				c.Status(http.StatusServiceUnavailable)
				return
			}
			c.String(http.StatusOK, "attempt %d", attempt.Number)
		}))
	})
	assert.Equal(t, "attempt 3", s.post(newClient(t), "/flaky", "").body)
}

func TestAJobWithoutAnAnswerHasTheServersProblem(t *testing.T) {
	s := newService(t, func(r *gin.Engine) {
		r.POST("/panics", ginasync.Async(func(*gin.Context) { panic("no") }, once()))
		r.POST("/hangs", ginasync.Async(func(c *gin.Context) { <-c.Request.Context().Done() }, once(), ginasync.Timeout(time.Millisecond)))
	})
	for path, status := range map[string]int{"/panics": 500, "/hangs": 504} {
		got := s.post(newClient(t), path, "")
		assert.Equal(t, status, got.StatusCode)
		assert.Equal(t, "application/problem+json", got.Header.Get("Content-Type"))
		assert.NotEmpty(t, got.Header.Get("AsyncResult"))
	}
}

func TestPollsCarryTheCallersCredentials(t *testing.T) {
	guard := func(c *gin.Context) {
		session, _ := c.Cookie("session")
		user, password, _ := c.Request.BasicAuth()
		if session != "s1" || user != "ada" || password != "secret" || c.GetHeader("X-Api-Key") != "k1" {
			c.AbortWithStatus(http.StatusUnauthorized)
		}
	}
	s := newService(t, func(r *gin.Engine) {
		r.GET("/login", func(c *gin.Context) { c.SetCookie("session", "s1", 60, "/", "", false, true) })
		r.POST("/async", guard, ginasync.Async(echo))
	}, guard)
	c := newClient(t, client.WithProgress(func(client.Status) {}))
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	c.Jar = jar
	do(t, c, request(t, http.MethodGet, s.url+"/login", ""))
	req := request(t, http.MethodPost, strings.Replace(s.url, "://", "://ada:secret@", 1)+"/async", "hello")
	req.Header.Set("X-Api-Key", "k1")
	assert.Equal(t, "POST  hello", do(t, c, req).body)
}

func TestCookiesOfTheSubmissionReachTheCaller(t *testing.T) {
	s := newService(t, func(r *gin.Engine) {
		r.POST("/async", func(c *gin.Context) { c.SetCookie("seen", "yes", 60, "/", "", false, true) }, ginasync.Async(echo))
	}, func(c *gin.Context) { c.SetCookie("polled", "yes", 60, "/", "", false, true) })
	var names []string
	for _, cookie := range s.post(newClient(t), "/async", "").Cookies() {
		names = append(names, cookie.Name)
	}
	assert.Equal(t, []string{"seen", "polled"}, names)
}

func TestManyRequestsAtOnce(t *testing.T) {
	s := newService(t, func(r *gin.Engine) { r.POST("/async", ginasync.Async(echo)) })
	c := newClient(t, client.WithProgress(func(client.Status) {}), client.WithCancel(), client.WithIdempotencyKeys())
	var all []<-chan outcome
	for range 50 {
		all = append(all, background(c, request(t, http.MethodPost, s.url+"/async", "hello")))
	}
	for _, one := range all {
		got := <-one
		require.NoError(t, got.err)
		assert.Equal(t, "POST  hello", read(t, got.resp).body)
	}
}

func TestTheZeroTransportWorks(t *testing.T) {
	s := newService(t, func(r *gin.Engine) { r.POST("/async", ginasync.Async(echo)) })
	c := &http.Client{Transport: &client.Transport{}}
	defer c.CloseIdleConnections()
	assert.Equal(t, "POST  hello", s.post(c, "/async", "hello").body)
}
