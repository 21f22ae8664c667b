package ginasync

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseIdempotencyKey(t *testing.T) {
	for name, test := range map[string]struct{ field, want string }{
		"a quoted text is the text":              {`"8e03978e-40d5"`, "8e03978e-40d5"},
		"without quotes it is the same":          {`8e03978e-40d5`, "8e03978e-40d5"},
		"space around it is none of it":          {" \t\"a b\"\t ", "a b"},
		"space within it is":                     {"a b", "a b"},
		"quotes may be escaped":                  {`"a\"b\\c"`, `a"b\c`},
		"a backslash without quotes is itself":   {`a\b`, `a\b`},
		"commas and semicolons may be in quotes": {`"a,b;c=d"`, "a,b;c=d"},
		"every printable character may":          {`" !#$%&'()*+-./09:<=>?@AZ[]^_` + "`" + `az{|}~"`, " !#$%&'()*+-./09:<=>?@AZ[]^_`az{|}~"},
		"parameters are passed over":             {`"k";a;b=1;*c-d.e_2=:aGk=:; f="x;\"y";g=?1;h=%"n%c3";i=a/b`, "k"},
		"base64 needs no quotes":                 {"aGk+/w==", "aGk+/w=="},
		"255 characters are not too many":        {strings.Repeat("k", 255), strings.Repeat("k", 255)},
		"quotes and escapes do not count":        {`"` + strings.Repeat(`\"`, 255) + `"`, strings.Repeat(`"`, 255)},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseIdempotencyKey(test.field)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}

	for name, test := range map[string]struct{ field, want string }{
		"nothing":                          {"", "empty"},
		"a quoted nothing":                 {`""`, "empty"},
		"space":                            {" ", "empty"},
		"256 characters":                   {strings.Repeat("k", 256), "256"},
		"256 quoted characters":            {`"` + strings.Repeat("k", 256) + `"`, "256"},
		"a quote that is not closed":       {`"abc`, "no end"},
		"one that is escaped":              {`"abc\"`, "no end"},
		"a backslash at the end":           {`"abc\`, "backslash"},
		"a backslash that escapes nothing": {`"a\bc"`, "backslash"},
		"text behind the quotes":           {`"abc"d`, "behind the quotes"},
		"another text in quotes":           {`"abc", "d"`, "behind the quotes"},
		"a parameter without a name":       {`"abc";`, "behind the quotes"},
		"a parameter that is no name":      {`"abc";A=1`, "behind the quotes"},
		"one that begins with a digit":     {`"abc";1a`, "behind the quotes"},
		"a parameter without a value":      {`"abc";a=`, "behind the quotes"},
		"one whose quote is not closed":    {`"abc";a="`, "behind the quotes"},
		"two lines that a proxy joined":    {"abc, def", "needs the quotes"},
		"a parameter of a bare key":        {"abc;a=1", "needs the quotes"},
		"a quote in a bare key":            {`ab"c`, "needs the quotes"},
		"a control character":              {"a\x01", "printable"},
		"a quoted one":                     {"\"a\x7f\"", "printable"},
		"a tab within":                     {"a\tb", "printable"},
		"letters of other scripts":         {"ключ", "printable"},
		"quoted ones":                      {`"ключ"`, "printable"},
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			_, err := parseIdempotencyKey(test.field)
			require.ErrorIs(t, err, errKeyInvalid)
			assert.ErrorContains(t, err, test.want)
		})
	}
}

func TestIdempotencyKeyOfARequest(t *testing.T) {
	demanding := &route{cfg: routeConfig{keyRequired: true}}
	one := http.Header{"Idempotency-Key": {"k"}}
	for _, r := range []*route{{}, demanding} {
		key, err := r.idempotencyKeyOf(one)
		require.NoError(t, err)
		assert.Equal(t, "k", key)
		_, err = r.idempotencyKeyOf(http.Header{"Idempotency-Key": {"k", "k"}})
		require.ErrorIs(t, err, errKeyInvalid)
		require.ErrorContains(t, err, "2 times")
		_, err = r.idempotencyKeyOf(http.Header{"Idempotency-Key": {""}})
		require.ErrorIs(t, err, errKeyInvalid)
	}
	key, err := new(route).idempotencyKeyOf(nil)
	require.NoError(t, err)
	assert.Empty(t, key)
	_, err = demanding.idempotencyKeyOf(nil)
	assert.ErrorIs(t, err, errKeyMissing)
}

// Whatever is in the header, a key that is accepted is one that may be, and it is the
// same when it is sent as a String, with parameters and without.
func FuzzIdempotencyKey(f *testing.F) {
	for _, field := range []string{`"a\"b\\c";a=1;b="x;y"`, "8e03978e-40d5-43dd", `"`, `"\`, `"a";`, `"a";b=%"c"`, "a,b", " \t"} {
		f.Add(field)
	}
	f.Fuzz(func(t *testing.T, field string) {
		key, err := parseIdempotencyKey(field)
		if err != nil {
			require.ErrorIs(t, err, errKeyInvalid)
			assert.Empty(t, key)
			return
		}
		assert.NotEmpty(t, key)
		assert.LessOrEqual(t, len(key), maxIdempotencyKey)
		assert.True(t, strings.IndexFunc(key, func(r rune) bool { return r < ' ' || r > '~' }) < 0, "%q", key)
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(key) + `"`
		for _, same := range []string{quoted, quoted + `;a=1; b="\""`} {
			again, err := parseIdempotencyKey(same)
			require.NoError(t, err, same)
			assert.Equal(t, key, again)
		}
	})
}
