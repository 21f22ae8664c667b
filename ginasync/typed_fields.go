package ginasync

import (
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/gin-gonic/gin/binding"
)

// typedFields is what the tags of a struct type say. It is empty for other types.
type typedFields struct {
	tagged   map[string][]taggedField // by kind of tag: uri, header, form
	files    []taggedField            // form fields for uploads, which no text fits
	unbodied [][]int                  // fields with a tag of another source and no json tag
}

// taggedField is a field that is bound by one tag.
type taggedField struct {
	tag, name string
	index     []int
	path      string       // the Go names that lead to it, joined by dots
	alone     reflect.Type // a struct with no other field
}

var (
	oneFile   = reflect.TypeFor[*multipart.FileHeader]()
	manyFiles = reflect.TypeFor[[]*multipart.FileHeader]()
)

// sourceTags are the tags that take a field from elsewhere than a JSON body.
func sourceTags() []string { return []string{"uri", "header", "form"} }

// fieldsOf reads the tags of t, or says which of them could never bind.
func fieldsOf(t reflect.Type) (typedFields, error) {
	f := typedFields{tagged: make(map[string][]taggedField)}
	if t.Kind() != reflect.Struct {
		return f, nil
	}
	if err := f.walk(t, nil, "", sourceTags()); err != nil {
		return f, fmt.Errorf("AsyncFunc: Req %s: %w", t, err)
	}
	return f, nil
}

// walk reads the fields of t and of the structs within it, as Gin does; "-" keeps a
// kind of tag out of a whole struct. A struct cannot hold itself other than by a
// pointer, so the walk ends.
func (f *typedFields) walk(t reflect.Type, index []int, path string, tags []string) error {
	for i := range t.NumField() {
		field := t.Field(i)
		field.Index = append(slices.Clone(index), i)
		here := path + field.Name
		if err := f.addTags(field, here, tags); err != nil {
			return fmt.Errorf("field %s: %w", here, err)
		}
		if !field.IsExported() && !field.Anonymous || field.Type.Kind() != reflect.Struct {
			continue
		}
		within := slices.DeleteFunc(slices.Clone(tags), func(tag string) bool { return field.Tag.Get(tag) == "-" })
		if err := f.walk(field.Type, field.Index, here+".", within); err != nil {
			return err
		}
	}
	return nil
}

// addTags notes where else than in the body the field is looked for.
func (f *typedFields) addTags(field reflect.StructField, path string, tags []string) error {
	if err := bindable(field); err != nil {
		return err
	}
	if embedsStruct(field) {
		return nil // its fields are bound, not the struct
	}
	elsewhere := false
	for _, tag := range tags {
		name := tagged(field, tag)
		if name == "" {
			continue
		}
		elsewhere = true
		one := taggedField{tag: tag, name: name, index: field.Index, path: path}
		if tag == "form" && (field.Type == oneFile || field.Type == manyFiles) {
			f.files = append(f.files, one)
			continue
		}
		one.alone = reflect.StructOf([]reflect.StructField{{Name: "Value", Type: field.Type, Tag: field.Tag}})
		f.tagged[tag] = append(f.tagged[tag], one)
	}
	if _, named := field.Tag.Lookup("json"); elsewhere && !named {
		f.unbodied = append(f.unbodied, field.Index)
	}
	return nil
}

// bindable refuses tags that never bind anything: a mistake that every request would
// pay for.
func bindable(field reflect.StructField) error {
	if !field.IsExported() && !embedsStruct(field) {
		if hasSourceTag(field) {
			return errors.New("it is not exported, so nothing can be bound to it; export it or remove its tag")
		}
		if !field.Anonymous {
			return nil
		}
	}
	if name := tagged(field, "header"); name != "" && !reachesWorker(name) {
		return fmt.Errorf("the header %s never reaches the worker; read it in a middleware and hand on what it says with CaptureKey", name)
	}
	if field.Type.Kind() == reflect.Pointer && tagsWithin(field.Type, make(map[reflect.Type]bool)) {
		return fmt.Errorf("uri, header and form tags behind a pointer are not bound; embed the struct itself instead of %s", field.Type)
	}
	return nil
}

// reachesWorker reports whether a header is stored and replayed.
func reachesWorker(name string) bool {
	name = http.CanonicalHeaderKey(name)
	h := http.Header{name: nil}
	dropConditions(h)
	return len(h) > 0 && name != "Expect" && !isHopByHop(name)
}

// tagsWithin reports whether the struct at the end of pointers has fields with source
// tags, at any depth. seen ends the search in types that lead back to themselves.
func tagsWithin(t reflect.Type, seen map[reflect.Type]bool) bool {
	for t.Kind() == reflect.Pointer && !seen[t] {
		seen[t] = true
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || seen[t] {
		return false
	}
	seen[t] = true
	for i := range t.NumField() {
		field := t.Field(i)
		if !field.IsExported() && !field.Anonymous {
			continue
		}
		if hasSourceTag(field) || tagsWithin(field.Type, seen) {
			return true
		}
	}
	return false
}

func hasSourceTag(field reflect.StructField) bool {
	return slices.ContainsFunc(sourceTags(), func(tag string) bool { return tagged(field, tag) != "" })
}

// tagged is the name in a tag; empty when there is none, or a "-".
func tagged(field reflect.StructField, tag string) string {
	name, _, _ := strings.Cut(field.Tag.Get(tag), ",")
	if name == "-" {
		return ""
	}
	return name
}

func embedsStruct(field reflect.StructField) bool {
	return field.Anonymous && field.Type.Kind() == reflect.Struct
}

// set gives the field what was sent, or else the default in its tag, unless it has a
// value already. It shows the field to Gin alone: Gin takes fields without the tag by
// their Go names, and would let a query set what is meant for the body.
func (f *taggedField) set(target reflect.Value, sent []string) error {
	to := target.FieldByIndex(f.index)
	values := make(map[string][]string, 1)
	if sent != nil {
		values[f.name] = sent
	} else if !to.IsZero() {
		return nil
	}
	alone := reflect.New(f.alone)
	field := alone.Elem().Field(0)
	field.Set(to)
	if err := binding.MapFormWithTag(alone.Interface(), values, f.tag); err != nil {
		return err
	}
	to.Set(field)
	return nil
}

// zeroUnbodied clears the fields that a JSON body must not set. Without a json tag
// encoding/json takes them by their Go names.
func (f *typedFields) zeroUnbodied(target any) {
	v := reflect.ValueOf(target).Elem()
	for _, index := range f.unbodied {
		v.FieldByIndex(index).SetZero()
	}
}
