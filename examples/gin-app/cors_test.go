package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScriptsOfOtherOrigins(t *testing.T) {
	service := startApp(t, buildApp(t), "-workers=false")
	crossOrigin := func(method, path string, header ...string) answer {
		req := httptest.NewRequestWithContext(t.Context(), method, service.url+path, http.NoBody)
		req.RequestURI = "" // it is a client's
		req.Header.Set("Origin", "https://app.example.com")
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		return service.send(t, req)
	}
	t.Run("ask what they may send, which becomes no job", func(t *testing.T) {
		for path, method := range map[string]string{"/slow/1": "POST", "/jobs/unknown": "DELETE"} {
			asked := crossOrigin(http.MethodOptions, path, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", "prefer,idempotency-key")
			assert.Equal(t, http.StatusNoContent, asked.StatusCode)
			assert.Equal(t, "*", asked.Header.Get("Access-Control-Allow-Origin"))
			assert.Contains(t, asked.Header.Get("Access-Control-Allow-Methods"), method)
			assert.Contains(t, strings.ToLower(asked.Header.Get("Access-Control-Allow-Headers")), "prefer")
			assert.Empty(t, asked.Header.Get("Location"))
		}
	})
	t.Run("may read where their job is", func(t *testing.T) {
		accepted := crossOrigin(http.MethodPost, "/slow/1")
		require.Equal(t, http.StatusAccepted, accepted.StatusCode)
		assert.Equal(t, "*", accepted.Header.Get("Access-Control-Allow-Origin"))
		assert.Contains(t, accepted.Header.Get("Access-Control-Expose-Headers"), "Location")
		shown := crossOrigin(http.MethodGet, accepted.Header.Get("Location"))
		assert.Equal(t, http.StatusOK, shown.StatusCode)
		assert.Contains(t, strings.ToLower(shown.Header.Get("Access-Control-Expose-Headers")), "retry-after")
		assert.Len(t, shown.Header.Values("Access-Control-Allow-Origin"), 1)
	})
}
