package outbound_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/asyncendpoints/gin-async/ginasync/internal/outbound"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHosts(t *testing.T) {
	hosts := outbound.Hosts{"hooks.example.com": true, "other.example.com:8443": true, "198.51.100.1": true, "[2001:db8::1]:8443": true}

	t.Run("takes the URLs that it has", func(t *testing.T) {
		for given, want := range map[string]string{
			"https://hooks.example.com":                   "https://hooks.example.com",
			"https://hooks.example.com:443/a?b=c":         "https://hooks.example.com:443/a?b=c",
			"HTTPS://HOOKS.example.com/A":                 "https://HOOKS.example.com/A",
			"https://other.example.com:8443/":             "https://other.example.com:8443/",
			"https://198.51.100.1/x":                      "https://198.51.100.1/x",
			"https://[2001:DB8::1]:8443/x":                "https://[2001:DB8::1]:8443/x",
			"https://hooks.example.com/with%20space?q=%0": "",
		} {
			got, err := hosts.Check(given)
			if want != "" {
				require.NoError(t, err, given)
				assert.Equal(t, want, got)
			}
		}
	})

	t.Run("refuses all others, and says why without the URL", func(t *testing.T) {
		for given, why := range map[string]string{
			"":                                                       "scheme and a host",
			"/jobs":                                                  "scheme and a host",
			"https://":                                               "scheme and a host",
			"https:hooks.example.com":                                "scheme and a host",
			"ftp://hooks.example.com":                                "scheme and a host",
			"file:///etc/passwd":                                     "scheme and a host",
			"gopher://hooks.example.com:6379/_":                      "scheme and a host",
			"http://hooks.example.com/":                              "begin with https://",
			"https://token@hooks.example.com/":                       "user",
			"https://user:pass@hooks.example.com/":                   "user",
			"https://hooks.example.com/#part":                        "fragment",
			"https://hooks.example.com/#":                            "fragment",
			"https://hooks.example.com:8443/":                        "not among those allowed",
			"https://hooks.example.com:80/":                          "not among those allowed",
			"https://other.example.com/":                             "not among those allowed",
			"https://hooks.example.com./":                            "not among those allowed",
			"https://hooks.example.com.evil.test/":                   "not among those allowed",
			"https://evil.test/hooks.example.com":                    "not among those allowed",
			"https://evil.test?hooks.example.com":                    "not among those allowed",
			"https://127.0.0.1/":                                     "not among those allowed",
			"https://[::ffff:127.0.0.1]/":                            "not among those allowed",
			"https://169.254.169.254/latest/meta-data":               "not among those allowed",
			"https://2130706433/":                                    "not among those allowed", // 127.0.0.1
			"https://0x7f000001/":                                    "not among those allowed",
			"https://0177.0.0.1/":                                    "not among those allowed",
			"https://127.1/":                                         "not among those allowed",
			"https://localhost/":                                     "not among those allowed",
			"https://hooks.example.com\\@evil.test/":                 "not a URL",
			"https://hooks.example.com\r\nX: y/":                     "not a URL",
			"https://hooks.example.com:x/":                           "not a URL",
			"https://hooks.example.com/" + strings.Repeat("a", 2048): "longer than 2048",
		} {
			got, err := hosts.Check(given)
			require.ErrorContains(t, err, why, given)
			assert.Empty(t, got)
			assert.NotContains(t, err.Error(), "evil")
		}
	})
}

func TestParseURL(t *testing.T) {
	for _, fine := range []string{"http://10.0.0.1:8080/x", "https://hooks.internal/x?token=y", "http://[::1]/"} {
		u, err := outbound.ParseURL(fine)
		require.NoError(t, err)
		assert.Equal(t, fine, u.String())
	}
}

func TestParseHost(t *testing.T) {
	for given, want := range map[string]string{
		"hooks.example.com": "hooks.example.com", "Hooks.Example.com:443": "hooks.example.com", "h:8443": "h:8443", "[::1]:8443": "[::1]:8443",
	} {
		got, err := outbound.ParseHost(given)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for _, wrong := range []string{"", "https://h", "h/path", "*.example.com", "h?q", "user@h", "h:port", "h:", "h h", ":443"} {
		_, err := outbound.ParseHost(wrong)
		assert.Error(t, err, wrong)
	}
}

func TestHostOf(t *testing.T) {
	for given, want := range map[string]string{
		"http://H:80/": "h", "https://h:443": "h", "http://h:443": "h:443", "https://[::1]:80": "[::1]:80", "https://[::1]": "[::1]",
	} {
		u, err := url.Parse(given)
		require.NoError(t, err)
		assert.Equal(t, want, outbound.HostOf(u))
	}
}

func TestParseNetwork(t *testing.T) {
	for given, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "10.1.2.3/8": "10.0.0.0/8", "127.0.0.1": "127.0.0.1/32", "::ffff:127.0.0.1": "127.0.0.1/32", "fd00::/8": "fd00::/8",
	} {
		got, err := outbound.ParseNetwork(given)
		require.NoError(t, err)
		assert.Equal(t, want, got.String())
	}
	for _, wrong := range []string{"", "10.0.0.0/33", "example.com", "::ffff:10.0.0.0/104"} {
		_, err := outbound.ParseNetwork(wrong)
		assert.Error(t, err, wrong)
	}
}

// FuzzHosts: what passes is a URL that goes to a host of the list and nowhere else.
func FuzzHosts(f *testing.F) {
	hosts := outbound.Hosts{"hooks.example.com": true}
	for _, seed := range []string{"https://hooks.example.com/a?b#c", "https://u:p@hooks.example.com", "https://hooks.example.com:443", "https://[::1]/"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := hosts.Check(text)
		if err != nil {
			return
		}
		u, err := url.Parse(got)
		if err != nil || u.Scheme != "https" || !strings.EqualFold(u.Hostname(), "hooks.example.com") || u.User != nil || u.Fragment != "" {
			t.Fatalf("%q became %q: %v", text, got, err)
		}
		if again, err := hosts.Check(got); err != nil || again != got {
			t.Fatalf("%q became %q, then %q: %v", text, got, again, err)
		}
	})
}
