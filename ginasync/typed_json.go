package ginasync

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin/binding"
)

// decodeJSON fills the target from a body and reports whether there is one. An empty
// body leaves the target as it is: which fields are missing, the `binding` tags say.
func (b *bound) decodeJSON(body io.Reader) bool {
	data, err := io.ReadAll(body)
	if err != nil {
		b.wrong.add("", "body", "cannot be read")
		return true
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return false
	}
	decoder := newDecoder(data)
	if err := decoder.Decode(b.target); err != nil {
		b.addUndecoded(data, err)
		return true
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		b.wrong.add("", "body", "has something after the JSON value")
	}
	return true
}

// newDecoder obeys Gin's settings for JSON.
func newDecoder(data []byte) *json.Decoder {
	decoder := json.NewDecoder(bytes.NewReader(data))
	if binding.EnableDecoderUseNumber {
		decoder.UseNumber()
	}
	if binding.EnableDecoderDisallowUnknownFields {
		decoder.DisallowUnknownFields()
	}
	return decoder
}

// addUndecoded names what does not decode.
func (b *bound) addUndecoded(data []byte, err error) {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax) && !json.Valid(data):
		b.wrong.add("", "body", fmt.Sprintf("is not JSON: %v at byte %d", syntax, syntax.Offset))
	case errors.Is(err, io.ErrUnexpectedEOF) && !json.Valid(data):
		b.wrong.add("", "body", "is not JSON: it ends too early")
	case !b.decodeMembers(data):
		var mistyped *json.UnmarshalTypeError
		name := ""
		if errors.As(err, &mistyped) {
			name = mistyped.Field
		}
		b.wrong.add(name, "body", misfit(err))
	}
}

// decodeMembers decodes each member of a JSON object by itself and reports whether
// one failed: encoding/json stops at the first that a type's own method refuses, and
// leaves the ones behind it unset.
func (b *bound) decodeMembers(data []byte) (found bool) {
	target := reflect.ValueOf(b.target)
	var members map[string]json.RawMessage
	if target.Elem().Kind() != reflect.Struct || decodesItself(target.Type()) || json.Unmarshal(data, &members) != nil {
		return false
	}
	target.Elem().SetZero()
	for _, name := range slices.Sorted(maps.Keys(members)) {
		object, err := json.Marshal(map[string]json.RawMessage{name: members[name]})
		if err == nil {
			err = newDecoder(object).Decode(b.target)
		}
		if err != nil {
			b.wrong.add(memberName(name, err), "body", misfit(err))
			found = true
		}
	}
	return found
}

// decodesItself reports whether the members of an object are the type's own affair.
func decodesItself(t reflect.Type) bool {
	return t.Implements(reflect.TypeFor[json.Unmarshaler]())
}

// memberName adds what encoding/json knows about the place within a member. Its path
// begins with the Go names of embedded structs, which clients do not know.
func memberName(name string, err error) string {
	var mistyped *json.UnmarshalTypeError
	if !errors.As(err, &mistyped) {
		return name
	}
	path := strings.Split(mistyped.Field, ".")
	at := slices.IndexFunc(path, func(part string) bool { return strings.EqualFold(part, name) })
	if at < 0 {
		return name
	}
	return strings.Join(append([]string{name}, path[at+1:]...), ".")
}

// misfit says why a value does not decode, without the words of a type's own method,
// which are not meant for clients.
func misfit(err error) string {
	var (
		mistyped *json.UnmarshalTypeError
		moment   *time.ParseError
	)
	switch {
	case errors.As(err, &mistyped):
		return fmt.Sprintf("must be %s, not %s", jsonKind(mistyped.Type), mistyped.Value)
	case errors.As(err, &moment):
		return "must be a time like " + strconv.Quote(moment.Layout)
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return "is unknown"
	default:
		return "has a value that does not fit"
	}
}

// jsonKind is what a Go type is called in JSON.
func jsonKind(t reflect.Type) string {
	if t.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "a string"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return jsonKind(t.Elem())
	case reflect.Bool:
		return "a boolean"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		return "a number (" + t.Kind().String() + ")"
	}
}
