package ginasync

import (
	"cmp"
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/gin-gonic/gin/binding"
	"github.com/go-playground/validator/v10"
)

// fieldErrors gathers what is wrong with a request.
type fieldErrors []FieldError

// add says a thing once, even if two Go fields are bound to the same name.
func (e *fieldErrors) add(field, in, detail string) {
	one := FieldError{Field: field, In: in, Detail: detail}
	if !slices.Contains(*e, one) {
		*e = append(*e, one)
	}
}

// problem is nil when nothing is wrong.
func (e fieldErrors) problem() error {
	if len(e) == 0 {
		return nil
	}
	names := make([]string, 0, len(e))
	for _, one := range e {
		names = append(names, cmp.Or(one.Field, one.In)+" "+one.Detail)
	}
	p := newProblem("invalid-request", http.StatusBadRequest, "Invalid request", strings.Join(names, "; "))
	p.Errors = e
	return &p
}

// cover reports whether something is wrong already with the field, with what it is a
// part of, or with the body as a whole: then nothing is known about the field.
func (e fieldErrors) cover(at place) bool {
	return slices.ContainsFunc(e, func(one FieldError) bool {
		if one.In != at.in {
			return false
		}
		rest, within := strings.CutPrefix(at.name, one.Field)
		return one.Field == "" || within && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// validate checks the `binding` tags.
func (b *bound) validate() {
	if binding.Validator == nil {
		return
	}
	err := binding.Validator.ValidateStruct(b.target)
	var invalid validator.ValidationErrors
	switch {
	case err == nil:
	case errors.As(err, &invalid):
		for _, one := range invalid {
			if at := b.placeOf(one.StructNamespace()); !b.wrong.cover(at) {
				b.wrong.add(at.name, at.in, ruleText(one))
			}
		}
	default: // a validator of the application's own, or the elements of a list
		b.wrong.add("", "body", err.Error())
	}
}

// placeOf is where a field stands that the validator names. Its path begins with the
// name of the type, if that has one.
func (b *bound) placeOf(namespace string) place {
	t := reflect.TypeOf(b.target).Elem()
	path := namespace
	if t.Name() != "" {
		path = strings.TrimPrefix(namespace, t.Name()+".")
	}
	if at, sent := b.places[path]; sent {
		return at
	}
	return clientName(t, path, b.form != nil)
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
