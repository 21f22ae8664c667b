package ginasync

import (
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"

	"github.com/gin-gonic/gin"
)

// bound is one request on its way into a target.
type bound struct {
	target any
	wrong  fieldErrors
	query  url.Values
	form   url.Values       // of a form body; nil when the body is none
	places map[string]place // by Go path: where the client has put the fields with tags
}

// place is where in a request a field stands, and its name there.
type place struct{ name, in string }

// lookup finds the values sent under a name. They are nil when there are none; in is
// where they stand or would stand.
type lookup func(name string) (values []string, in string)

// formValue puts the values of a form body before those of the query, as
// http.Request.ParseForm does.
func (b *bound) formValue(name string) (values []string, in string) {
	body, query := b.form[name], b.query[name]
	if b.form == nil || body == nil && query != nil {
		return query, "query"
	}
	return append(body[:len(body):len(body)], query...), "body"
}

func headerValue(h http.Header) lookup {
	return func(name string) ([]string, string) { return h.Values(name), "header" }
}

func pathValue(params gin.Params) lookup {
	return func(name string) ([]string, string) {
		if value, ok := params.Get(name); ok {
			return []string{value}, "path"
		}
		return nil, "path"
	}
}

// bindTagged sets the fields that have tags of one kind.
func (b *bound) bindTagged(fields []taggedField, find lookup) {
	target := reflect.ValueOf(b.target).Elem()
	for _, field := range fields {
		values, in := find(field.name)
		if values != nil {
			b.places[field.path] = place{field.name, in}
		}
		if err := field.set(target, values); err != nil {
			b.wrong.add(field.name, in, fmt.Sprintf("has a value of the wrong type: %v", err))
		}
	}
}

// setFiles fills the fields for uploaded files.
func (b *bound) setFiles(fields []taggedField, files map[string][]*multipart.FileHeader) {
	target := reflect.ValueOf(b.target).Elem()
	for _, field := range fields {
		sent := files[field.name]
		if len(sent) == 0 {
			continue
		}
		b.places[field.path] = place{field.name, "body"}
		to := target.FieldByIndex(field.index)
		if to.Type() == manyFiles {
			to.Set(reflect.ValueOf(sent))
			continue
		}
		to.Set(reflect.ValueOf(sent[0]))
	}
}

// addForm names a form body that cannot be read.
func (b *bound) addForm(err error) {
	if err != nil {
		b.wrong.add("", "body", "is not a form of its Content-Type: "+err.Error())
	}
}
