package ginasync

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAReferenceLeadsWhereItLedInTheLiveAnswer(t *testing.T) {
	plain := target{received: "/v1/reports?year=2026", path: "/v1/reports"}
	stripped := target{received: "/api/v1/reports", path: "/v1/reports"} // by http.StripPrefix
	for _, test := range []struct {
		name           string
		from           target
		base, of, want string
	}{
		{"a name", plain, "", "991", "/v1/991"},
		{"a name below a folder", target{received: "/v1/reports/"}, "", "991", "/v1/reports/991"},
		{"a path", plain, "", "reports/991/pages", "/v1/reports/991/pages"},
		{"a path with dots", plain, "", "../v2/./x", "/v2/x"},
		{"a path that leads above the root", plain, "", "../../../x", "/x"},
		{"a query alone", plain, "", "?page=2", "/v1/reports?page=2"},
		{"a query and a fragment", plain, "", "991?a=b&c#part", "/v1/991?a=b&c#part"},
		{"escapes", plain, "", "a%2Fb%20c", "/v1/a%2Fb%20c"},
		{"escapes in the target", target{received: "/v1/a%2Fb/c"}, "", "d", "/v1/a%2Fb/d"},
		{"a target with a host", target{received: "http://evil.example/v1/reports"}, "", "991", "/v1/991"},
		{"a target that looks like a host", target{received: "//evil.example/reports"}, "", "991", "/.//evil.example/991"},
		{"a prefix that was stripped here", stripped, "", "991", "/api/v1/991"},
		{"the same with a base", stripped, "/api", "991", "/api/v1/991"},
		{"a base with an origin", plain, "https://api.example.com/eu", "991", "https://api.example.com/eu/v1/991"},
		{"what WithURL said", target{public: "https://eu.example/v1/reports", received: "/x"}, "/api", "991", "https://eu.example/v1/991"},
	} {
		t.Run("made of "+test.name, func(t *testing.T) {
			require.Equal(t, test.want, test.from.resolve(test.of, test.base))
		})
	}
	for _, same := range []string{
		"", "/", "/v1/991?x#y", "//host/x", "https://h/x", "HTTP://h", "mailto:a@b", "urn:x:y", "data:,x", "#", "#part",
		"%zz", "a:b:c", ":", "a\x7f",
	} {
		require.Equal(t, same, plain.resolve(same, "https://api.example.com"))
	}
	for _, unknown := range []target{{received: "*"}, {received: ""}, {public: "%zz"}} {
		require.NotPanics(t, func() { unknown.resolve("991", "") })
	}
	require.Equal(t, "991", target{public: "%zz"}.resolve("991", ""))
	require.Equal(t, "991", target{received: ""}.resolve("991", ""))
}

func TestTheReferencesOfALinkFieldAreRewritten(t *testing.T) {
	bracket := func(s string) string { return "[" + s + "]" }
	for value, want := range map[string]string{
		`<a>; rel=next`:                   `<[a]>; rel=next`,
		`<a>;rel="x", <b>; rel=y,<c>`:     `<[a]>;rel="x", <[b]>; rel=y,<[c]>`,
		`<a>; title="<b> \"<c>", <d>`:     `<[a]>; title="<b> \"<c>", <[d]>`,
		`<a>; anchor="#b"; rel=x`:         `<[a]>; anchor="[#b]"; rel=x`,
		`<a>; Anchor = "b"`:               `<[a]>; Anchor = "[b]"`,
		`<a>; my-anchor="b"; anchors="c"`: `<[a]>; my-anchor="b"; anchors="c"`,
		`<a>; anchor=b`:                   `<[a]>; anchor=b`,
		`<a`:                              `<a`,
		`<a>; title="b`:                   `<[a]>; title="b`,
		`<a>; title="\`:                   `<[a]>; title="\`,
		``:                                ``,
		`nonsense`:                        `nonsense`,
	} {
		require.Equal(t, want, rewriteLinks(value, bracket), value)
	}
}

func FuzzReferences(f *testing.F) {
	f.Add("/v1/reports?x", "991", `<a>; rel="x"; anchor="b", </c>`)
	f.Add("//h/x", "../..//x", `<`)
	f.Add("http://u@h/%2e/", "?", `"<>`)
	f.Fuzz(func(t *testing.T, received, reference, link string) {
		same := func(s string) string { return s }
		require.Equal(t, link, rewriteLinks(link, same))

		got := target{received: received}.resolve(reference, "")
		if got == reference {
			return
		}
		// Where it leads is where the client of the live route would have gone.
		u, err := url.ParseRequestURI(received)
		require.NoError(t, err)
		live := &url.URL{Scheme: "https", Host: "api.example", Path: u.Path, RawPath: u.RawPath}
		want, err := live.Parse(reference)
		require.NoError(t, err)
		result := &url.URL{Scheme: "https", Host: "api.example", Path: "/jobs/id/result"}
		led, err := result.Parse(got)
		require.NoError(t, err)
		require.Equal(t, "api.example", led.Host)
		if strings.Contains(want.Path, "//") || strings.Contains(want.Path, "/.") {
			return // two ways to write the same
		}
		require.Equal(t, want.String(), led.String())
	})
}

func TestOnlyWhatNeedsItIsRewritten(t *testing.T) {
	h := http.Header{
		"Location": {"991"}, "Content-Location": {"992"}, "Link": {"<993>; rel=next", "</994>; rel=up"},
		"X-Location": {"995"}, "Refresh": {"0; url=996"},
	}
	target{received: "/v1/reports"}.keepMeaning(h, "")
	require.Equal(t, http.Header{
		"Location": {"/v1/991"}, "Content-Location": {"/v1/992"}, "Link": {"</v1/993>; rel=next", "</994>; rel=up"},
		"X-Location": {"995"}, "Refresh": {"0; url=996"},
	}, h)
}
