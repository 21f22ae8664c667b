package ginasync

import (
	"errors"
	"mime"
	"net/http"
	"net/textproto"
	"net/url"
	"reflect"
	"strings"

	"github.com/gin-gonic/gin"
	"github.com/gin-gonic/gin/binding"
)

// formMemory is how much of a multipart body is kept in memory while it is bound;
// the rest goes to temporary files. Gin's default.
const formMemory = 32 * mebibyte

// binder fills values of one type from requests.
type binder struct {
	fields  typedFields
	hasBody bool // the type is not struct{}
}

// newBinder prepares for a type, or says why it cannot be bound.
func newBinder(t reflect.Type) (*binder, error) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Invalid:
		return nil, errors.New("AsyncFunc: Req must be a struct or another type that JSON can hold, not " + t.String())
	default:
		return &binder{
			fields:  fieldsOf(t),
			hasBody: t.Kind() != reflect.Struct || t.NumField() > 0,
		}, nil
	}
}

// bind fills target, a pointer to a zero value of the binder's type. It returns a
// *Problem that names every field that does not fit.
//
// The path comes last: whatever a body says, the resource is the one in the URL.
func (b *binder) bind(r *http.Request, params gin.Params, target any) error {
	if !b.hasBody {
		return nil
	}
	var wrong fieldErrors
	form, err := b.bindBody(r, target, &wrong)
	if err != nil {
		return err
	}
	b.bindTag(target, "form", form, &wrong)
	b.bindTag(target, "header", b.headerValues(r.Header), &wrong)
	b.bindTag(target, "uri", pathValues(params), &wrong)
	wrong.addInvalid(target)
	return wrong.problem()
}

// bindBody fills target from the body and returns the values for `form` tags: the
// query's, and those of a form body before them.
func (b *binder) bindBody(r *http.Request, target any, wrong *fieldErrors) (url.Values, error) {
	form := r.URL.Query()
	if r.Body == nil || r.ContentLength == 0 {
		return form, nil
	}
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case mediaType == "" || mediaType == "application/json" || strings.HasSuffix(mediaType, "+json"):
		decodeJSON(r, target, wrong)
		b.fields.zeroUnbodied(target)
		return form, nil
	case mediaType == "application/x-www-form-urlencoded":
		wrong.addForm(r.ParseForm())
		return mergeForms(r.PostForm, form), nil
	case mediaType == "multipart/form-data":
		wrong.addForm(r.ParseMultipartForm(formMemory))
		if r.MultipartForm != nil {
			b.fields.setFiles(target, r.MultipartForm.File)
			form = mergeForms(r.MultipartForm.Value, form)
		}
		return form, nil
	default:
		p := newProblem("unsupported-media-type", http.StatusUnsupportedMediaType, "Unsupported media type",
			"this route takes application/json, application/x-www-form-urlencoded or multipart/form-data")
		return nil, &p
	}
}

// bindTag sets the fields that have an explicit tag of that kind. Gin would take the
// name of a field without the tag, and let a query set what is meant for the body.
func (b *binder) bindTag(target any, tag string, values map[string][]string, wrong *fieldErrors) {
	names := b.fields.tagged[tag]
	if len(names) == 0 {
		return
	}
	chosen := make(map[string][]string, len(names))
	for _, name := range names {
		if v, ok := values[name]; ok {
			chosen[name] = v
		}
	}
	if err := binding.MapFormWithTag(target, chosen, tag); err != nil {
		wrong.addMisfits(target, tag, chosen, err)
	}
}

// headerValues looks headers up by the names as they stand in the tags.
func (b *binder) headerValues(h http.Header) map[string][]string {
	values := make(map[string][]string)
	for _, name := range b.fields.tagged["header"] {
		if v, ok := h[textproto.CanonicalMIMEHeaderKey(name)]; ok {
			values[name] = v
		}
	}
	return values
}

func pathValues(params gin.Params) map[string][]string {
	values := make(map[string][]string, len(params))
	for _, p := range params {
		values[p.Key] = []string{p.Value}
	}
	return values
}

// mergeForms puts the values of a form body before those of the query, as
// http.Request.ParseForm does.
func mergeForms(body, query url.Values) url.Values {
	for name, values := range body {
		query[name] = append(values, query[name]...)
	}
	return query
}
