package main

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOwners(t *testing.T) {
	binary := buildApp(t)
	service := startApp(t, binary, "-owner-header", "X-User")
	as := func(user, method, path string) answer {
		req := post(t, service.url+path)
		req.Method = method
		if user != "" {
			req.Header.Set("X-User", user)
		}
		return service.send(t, req)
	}
	job := as("ada", http.MethodPost, "/slow/0").Header.Get("Location")
	require.NotEmpty(t, job)

	t.Run("a job is its owner's", func(t *testing.T) {
		assert.Equal(t, http.StatusOK, as("ada", http.MethodGet, job).StatusCode)
		for _, other := range []string{"bob", ""} {
			assert.Equal(t, http.StatusNotFound, as(other, http.MethodGet, job).StatusCode)
		}
	})
	t.Run("the list has the caller's jobs", func(t *testing.T) {
		for user, want := range map[string]int{"ada": 1, "bob": 0} {
			listed := as(user, http.MethodGet, "/jobs")
			require.Equal(t, http.StatusOK, listed.StatusCode)
			var list struct{ Jobs []struct{ ID string } }
			require.NoError(t, json.Unmarshal(listed.body, &list))
			assert.Len(t, list.Jobs, want)
		}
	})
	t.Run("nobody cannot submit", func(t *testing.T) {
		assert.Equal(t, http.StatusForbidden, as("", http.MethodPost, "/slow/0").StatusCode)
	})
	t.Run("without the flag there is no list", func(t *testing.T) {
		plain := startApp(t, binary)
		assert.Equal(t, http.StatusNotFound, plain.get(t, "/jobs").StatusCode)
	})
}
