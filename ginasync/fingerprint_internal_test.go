package ginasync

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/store"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// order is a request with a key, in parts that a test can change.
type order struct {
	owner, route, key   string
	method, target      string
	contentType, body   string
	otherName, otherVal string
}

// reserved is what the store gets of it.
func (o order) reserved() store.NewJob {
	r := httptest.NewRequest(o.method, o.target, http.NoBody)
	r.Header.Set("Content-Type", o.contentType)
	if o.otherName != "" {
		r.Header.Set(o.otherName, o.otherVal)
	}
	job := store.NewJob{Owner: o.owner, Route: o.route}
	reserve(&job, o.key, r, []byte(o.body))
	return job
}

func anOrder() order {
	return order{
		owner: "ann", route: "POST /x", key: "key-0001",
		method: "POST", target: "/x/a%2Fb?b=2&a=1&a=0", contentType: "application/json", body: `{"a":1}`,
	}
}

func TestReserve(t *testing.T) {
	same := func(t *testing.T, one, other order) {
		t.Helper()
		a, b := one.reserved(), other.reserved()
		assert.Equal(t, a.Key, b.Key)
		assert.Equal(t, a.Fingerprint, b.Fingerprint)
	}
	for name, change := range map[string]func(o *order){
		"other headers":                 func(o *order) { o.otherName, o.otherVal = "Traceparent", "00-1" },
		"the order of query parameters": func(o *order) { o.target = "/x/a%2Fb?a=1&a=0&b=2" },
		"how the query is escaped":      func(o *order) { o.target = "/x/a%2Fb?%62=2&a=%31&a=0" },
		"nothing":                       func(*order) {},
	} {
		t.Run("does not tell requests apart by "+name, func(t *testing.T) {
			other := anOrder()
			change(&other)
			same(t, anOrder(), other)
		})
	}
	for name, change := range map[string]func(o *order){
		"method":                              func(o *order) { o.method = "PUT" },
		"path":                                func(o *order) { o.target = "/y?b=2&a=1&a=0" },
		"escaped path":                        func(o *order) { o.target = "/x/a/b?b=2&a=1&a=0" },
		"query":                               func(o *order) { o.target = "/x/a%2Fb?b=3&a=1&a=0" },
		"order of one parameter's values":     func(o *order) { o.target = "/x/a%2Fb?b=2&a=0&a=1" },
		"query that cannot be read":           func(o *order) { o.target = "/x/a%2Fb?b=2;a=1" },
		"content type":                        func(o *order) { o.contentType = "application/merge-patch+json" },
		"body":                                func(o *order) { o.body = `{"a":2}` },
		"border between content type, body":   func(o *order) { o.contentType, o.body = "application/json{", `"a":1}` },
		"body that says it is multipart":      func(o *order) { o.contentType = "multipart/form-data; boundary=b" },
		"space in the body, as JSON has none": func(o *order) { o.body = `{"a": 1}` },
	} {
		t.Run("tells requests with one key apart by their "+name, func(t *testing.T) {
			other := anOrder()
			change(&other)
			a, b := anOrder().reserved(), other.reserved()
			assert.Equal(t, a.Key, b.Key)
			assert.NotEqual(t, a.Fingerprint, b.Fingerprint)
		})
	}
	for name, change := range map[string]func(o *order){
		"owner":                           func(o *order) { o.owner = "bob" },
		"route":                           func(o *order) { o.route = "POST /y" },
		"text":                            func(o *order) { o.key = "key-0002" },
		"border between owner and route":  func(o *order) { o.owner, o.route = "annP", "OST /x" },
		"border between route and text":   func(o *order) { o.route, o.key = "POST /xk", "ey-0001" },
		"owner, who has none":             func(o *order) { o.owner = "" },
		"owner, who is another's outside": func(o *order) { o.owner, o.route = "", "annPOST /x" },
	} {
		t.Run("gives each key its scope: its "+name, func(t *testing.T) {
			other := anOrder()
			change(&other)
			assert.NotEqual(t, anOrder().reserved().Key, other.reserved().Key)
		})
	}

	t.Run("hands the store digests of a fixed size and nothing else", func(t *testing.T) {
		long := anOrder()
		long.key = strings.Repeat("secret", 40)
		for _, o := range []order{anOrder(), long} {
			job := o.reserved()
			assert.Regexp(t, `^[A-Za-z0-9_-]{32}$`, job.Key)
			assert.Regexp(t, `^[A-Za-z0-9_-]{32}$`, job.Fingerprint)
		}
	})

	t.Run("lets nobody try out requests who does not know the key", func(t *testing.T) {
		other := anOrder()
		other.key = "key-0002"
		assert.NotEqual(t, anOrder().reserved().Fingerprint, other.reserved().Fingerprint)
	})
}

// form is a multipart order with the boundary.
func form(t *testing.T, boundary string, parts ...string) order {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	require.NoError(t, w.SetBoundary(boundary))
	for i := 0; i < len(parts); i += 2 {
		part, err := w.CreateFormFile(parts[i], parts[i]+".txt")
		require.NoError(t, err)
		_, err = part.Write([]byte(parts[i+1]))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	o := anOrder()
	o.contentType, o.body = w.FormDataContentType(), body.String()
	return o
}

func TestFingerprintOfMultipart(t *testing.T) {
	printOf := func(o order) string { return o.reserved().Fingerprint }
	one := form(t, "one", "a", "1", "b", "2")

	t.Run("has not the boundary, which clients draw anew for each attempt", func(t *testing.T) {
		assert.Equal(t, printOf(one), printOf(form(t, "another-one", "a", "1", "b", "2")))
	})

	for name, other := range map[string]order{
		"contents":           form(t, "one", "a", "1", "b", "3"),
		"names":              form(t, "one", "a", "1", "c", "2"),
		"order":              form(t, "one", "b", "2", "a", "1"),
		"number":             form(t, "one", "a", "1"),
		"borders":            form(t, "one", "a", "12", "b", ""),
		"multipart subtype":  func() order { o := one; o.contentType = "multipart/mixed; boundary=one"; return o }(),
		"further parameters": func() order { o := one; o.contentType += "; charset=utf-8"; return o }(),
	} {
		t.Run("tells parts apart by their "+name, func(t *testing.T) {
			assert.NotEqual(t, printOf(one), printOf(other))
		})
	}

	t.Run("of what is no multipart body is that of its bytes", func(t *testing.T) {
		for name, spoil := range map[string]func(o *order){
			"no boundary":    func(o *order) { o.contentType = "multipart/form-data" },
			"no end":         func(o *order) { o.body = strings.TrimSuffix(o.body, "--one--\r\n") },
			"no such header": func(o *order) { o.body = strings.Replace(o.body, "Content-Disposition:", "Content Disposition", 1) },
			"cut in a part":  func(o *order) { o.body = o.body[:len(o.body)/2] },
			"too many parts": func(o *order) { o.body = strings.Repeat("--one\r\n\r\n\r\n", maxDigestedParts) + "--one--\r\n" },
		} {
			o := form(t, "one", "a", strings.Repeat("1", 8192), "b", "2")
			spoil(&o)
			_, _, ok := digestParts(o.contentType, []byte(o.body))
			assert.False(t, ok, name)
			changed := o
			changed.body += "\r\n"
			assert.NotEqual(t, printOf(o), printOf(changed), name)
			assert.Equal(t, printOf(o), printOf(o), name)
		}
	})
}

// Two multipart bodies have one fingerprint when their parts are the same, and only then.
func FuzzFingerprintOfMultipart(f *testing.F) {
	f.Add("a", "1", "b", "2", "one", "two")
	f.Add("a\r\n", "--one", "\"", "\r\n--two--\r\n", "one", "two")
	f.Fuzz(func(t *testing.T, name1, content1, name2, content2, boundary1, boundary2 string) {
		write := func(boundary string, contents ...string) (contentType string, body []byte, ok bool) {
			var b bytes.Buffer
			w := multipart.NewWriter(&b)
			if w.SetBoundary(boundary) != nil {
				return "", nil, false
			}
			for i, name := range []string{name1, name2} {
				if strings.Contains(contents[i], boundary) || w.WriteField(name, contents[i]) != nil {
					return "", nil, false
				}
			}
			require.NoError(t, w.Close())
			return w.FormDataContentType(), b.Bytes(), true
		}
		type1, body1, ok1 := write(boundary1, content1, content2)
		type2, body2, ok2 := write(boundary2, content1, content2)
		type3, body3, ok3 := write(boundary1, content1+"x", content2)
		if !ok1 || !ok2 || !ok3 {
			return
		}
		media1, parts1, read1 := digestParts(type1, body1)
		media2, parts2, read2 := digestParts(type2, body2)
		if !read1 || !read2 {
			return
		}
		assert.Equal(t, media1, media2)
		assert.Equal(t, parts1, parts2)
		_, parts3, _ := digestParts(type3, body3)
		assert.NotEqual(t, parts1, parts3)
	})
}
