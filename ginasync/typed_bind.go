package ginasync

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/gin-gonic/gin"
)

// formMemory is how much of the files in a multipart body is kept in memory while it
// is bound. The rest goes to temporary files, which are removed once the request has
// been checked, or its handler has returned.
const formMemory = mebibyte

// binder fills values of one type from requests.
type binder struct {
	fields   typedFields
	hasBody  bool // the type is not struct{}
	isObject bool // the type is a struct
}

// newBinder prepares for a type, or says why it cannot be bound.
func newBinder(t reflect.Type) (*binder, error) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Invalid:
		return nil, errors.New("AsyncFunc: Req must be a struct or another type that JSON can hold, not " + t.String())
	}
	fields, err := fieldsOf(t)
	if err != nil {
		return nil, err
	}
	isObject := t.Kind() == reflect.Struct
	return &binder{fields: fields, hasBody: !isObject || t.NumField() > 0, isObject: isObject}, nil
}

// bind fills target, a pointer to a zero value of the binder's type. It returns a
// *Problem that names every field that does not fit.
//
// The path comes last: whatever a body says, the resource is the one in the URL.
func (b *binder) bind(r *http.Request, params gin.Params, target any) error {
	if !b.hasBody {
		return nil
	}
	in := &bound{target: target, query: r.URL.Query(), places: make(map[string]place)}
	if err := b.bindBody(in, r); err != nil {
		return err
	}
	in.bindTagged(b.fields.tagged["form"], in.formValue)
	in.bindTagged(b.fields.tagged["header"], headerValue(r.Header))
	in.bindTagged(b.fields.tagged["uri"], pathValue(params))
	in.validate()
	return in.wrong.problem()
}

// bindBody takes the body in. An empty one is an object without members.
func (b *binder) bindBody(in *bound, r *http.Request) error {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case r.Body == nil || r.ContentLength == 0:
		if !b.isObject {
			in.wrong.add("", "body", "is required")
		}
	case mediaType == "" || mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"):
		if !in.decodeJSON(r.Body) && !b.isObject {
			in.wrong.add("", "body", "is required")
		}
		b.fields.zeroUnbodied(in.target)
	case !b.takesForms():
		// Without this a form, which curl -d sends by default, would seem to be an
		// object without members.
		return unsupportedBody("this route takes application/json, and its Content-Type has to say so")
	case mediaType == "application/x-www-form-urlencoded":
		in.addForm(r.ParseForm())
		in.form = r.PostForm
	case mediaType == "multipart/form-data":
		in.form = url.Values{}
		in.addForm(r.ParseMultipartForm(formMemory))
		if r.MultipartForm != nil {
			in.form = r.MultipartForm.Value
			in.setFiles(b.fields.files, r.MultipartForm.File)
		}
	default:
		return unsupportedBody("this route takes application/json, application/x-www-form-urlencoded or multipart/form-data")
	}
	return nil
}

// takesForms reports whether a form body can set anything.
func (b *binder) takesForms() bool {
	return len(b.fields.tagged["form"])+len(b.fields.files) > 0
}

func unsupportedBody(detail string) error {
	p := newProblem("unsupported-media-type", http.StatusUnsupportedMediaType, "Unsupported media type", detail)
	return &p
}
