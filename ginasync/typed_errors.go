package ginasync

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/gin-gonic/gin/binding"
	"github.com/go-playground/validator/v10"
)

// fieldErrors gathers what is wrong with a request.
type fieldErrors []FieldError

func (e *fieldErrors) add(field, in, detail string) {
	*e = append(*e, FieldError{Field: field, In: in, Detail: detail})
}

// problem is nil when nothing is wrong.
func (e fieldErrors) problem() error {
	if len(e) == 0 {
		return nil
	}
	names := make([]string, 0, len(e))
	for _, one := range e {
		names = append(names, strings.TrimSpace(one.Field+" "+one.Detail))
	}
	p := newProblem("invalid-request", http.StatusBadRequest, "Invalid request", strings.Join(names, "; "))
	p.Errors = e
	return &p
}

// names reports whether something is wrong with a field already.
func (e fieldErrors) names(field string) bool {
	return slices.ContainsFunc(e, func(one FieldError) bool { return one.Field == field })
}

// decodeJSON fills target from the body. An empty body leaves it as it is: which
// fields are missing, the `binding` tags say.
func decodeJSON(r *http.Request, target any, wrong *fieldErrors) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		wrong.add("", "body", "cannot be read")
		return
	}
	if len(data) == 0 {
		return
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	if binding.EnableDecoderUseNumber {
		decoder.UseNumber()
	}
	if binding.EnableDecoderDisallowUnknownFields {
		decoder.DisallowUnknownFields()
	}
	if err = decoder.Decode(target); err != nil {
		wrong.addJSON(data, target, err)
		return
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		wrong.add("", "body", "has something after the JSON value")
	}
}

// addForm names a form body that cannot be read.
func (e *fieldErrors) addForm(err error) {
	if err != nil {
		e.add("", "body", "is not a form of its Content-Type: "+err.Error())
	}
}

// addJSON names what does not decode. encoding/json stops at the first value of the
// wrong type; the others are found field by field.
func (e *fieldErrors) addJSON(data []byte, target any, err error) {
	var (
		mistyped *json.UnmarshalTypeError
		syntax   *json.SyntaxError
	)
	switch {
	case errors.As(err, &mistyped):
		before := len(*e)
		e.addMistyped(data, reflect.TypeOf(target).Elem())
		if len(*e) == before {
			e.add(mistyped.Field, "body", mismatch(mistyped))
		}
	case errors.As(err, &syntax):
		e.add("", "body", fmt.Sprintf("is not JSON: %v at byte %d", syntax, syntax.Offset))
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.add("", "body", "is not JSON: it ends too early")
	default:
		e.add("", "body", strings.TrimPrefix(err.Error(), "json: "))
	}
}

// addMistyped decodes each member of a JSON object by itself.
func (e *fieldErrors) addMistyped(data []byte, t reflect.Type) {
	var members map[string]json.RawMessage
	if t.Kind() != reflect.Struct || json.Unmarshal(data, &members) != nil {
		return
	}
	types := fieldsOf(t).json
	for _, name := range slices.Sorted(maps.Keys(members)) {
		fieldType, known := types[name]
		if !known {
			continue
		}
		var mistyped *json.UnmarshalTypeError
		if errors.As(json.Unmarshal(members[name], reflect.New(fieldType).Interface()), &mistyped) {
			e.add(strings.TrimSuffix(name+"."+mistyped.Field, "."), "body", mismatch(mistyped))
		}
	}
}

func mismatch(err *json.UnmarshalTypeError) string {
	return fmt.Sprintf("must be %s, not %s", jsonKind(err.Type), err.Value)
}

// jsonKind is what a Go type is called in JSON.
func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Bool:
		return "a boolean"
	case reflect.String:
		return "a string"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Struct, reflect.Map:
		return "an object"
	default:
		return "a number (" + t.String() + ")"
	}
}

// addMisfits names the values that do not fit their fields. Gin's error does not
// name them: each is tried by itself.
func (e *fieldErrors) addMisfits(target any, tag string, values map[string][]string, err error) {
	in := map[string]string{"uri": "path", "header": "header", "form": "query"}[tag]
	found := false
	for _, name := range slices.Sorted(maps.Keys(values)) {
		probe := reflect.New(reflect.TypeOf(target).Elem()).Interface()
		if one := binding.MapFormWithTag(probe, map[string][]string{name: values[name]}, tag); one != nil {
			e.add(name, in, fmt.Sprintf("has a value of the wrong type: %v", one))
			found = true
		}
	}
	if !found {
		e.add("", in, err.Error())
	}
}

// addInvalid checks the `binding` tags. A field that is named already is left out.
func (e *fieldErrors) addInvalid(target any) {
	if binding.Validator == nil {
		return
	}
	err := binding.Validator.ValidateStruct(target)
	var invalid validator.ValidationErrors
	switch {
	case err == nil:
	case errors.As(err, &invalid):
		for _, one := range invalid {
			_, path, _ := strings.Cut(one.StructNamespace(), ".")
			name, in := clientName(reflect.TypeOf(target).Elem(), path)
			if !e.names(name) {
				e.add(name, in, ruleText(one))
			}
		}
	default: // a validator of the application's own, or the elements of a list
		e.add("", "body", err.Error())
	}
}

// ruleText says in words what a `binding` rule asks for.
func ruleText(err validator.FieldError) string {
	if err.Tag() == "required" {
		return "is required"
	}
	if err.Param() == "" {
		return "must satisfy " + err.Tag()
	}
	return "must satisfy " + err.Tag() + "=" + err.Param()
}
