package ginasync

import (
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"
)

// WithBaseURL is put before the path of every URL the Manager writes, such as
// "https://api.example.com/v2" for a server behind a proxy that strips a prefix.
// Default: none, URLs are absolute paths, which a client resolves against the URL
// it called. The Host header is never used, nor is X-Forwarded-Host.
func WithBaseURL(base string) Option {
	return func(c *config) {
		u, err := url.Parse(base)
		switch {
		case err != nil:
			c.mistake("WithBaseURL: %w", err)
		case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
			c.mistake("WithBaseURL must not have a query, a fragment or a user: %q", base)
		case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		case u.Scheme != "" || u.Host != "" || !strings.HasPrefix(base, "/"):
			c.mistake("WithBaseURL needs a URL with scheme and host, or a path with a leading slash, not %q", base)
		}
		c.baseURL = strings.TrimRight(base, "/")
	}
}

// WithURL lets a function make every URL of an answer, where one base for all requests
// will not do: several host names, a prefix in a header that a trusted proxy sets. path
// is the absolute path as this server has it; returned is what the client is told, or
// "" for nothing. The function is called several times for a request, and at the same
// time for others; c is that of the request that is answered, or submitted. What a
// client can write into a header must not end up in the URL. Where there is no request
// to answer, URLs are those of [WithBaseURL]. Default: WithBaseURL.
func WithURL(write func(c *gin.Context, path string) string) Option {
	return func(c *config) {
		c.notNil("WithURL", write == nil)
		c.url = write
	}
}
