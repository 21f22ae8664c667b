package ginasync

import (
	"mime/multipart"
	"reflect"
	"slices"
	"strings"
)

// typedFields is what the tags of a struct type say. It is empty for other types.
type typedFields struct {
	tagged   map[string][]string // tag kind → the names in it
	unbodied [][]int             // fields with a tag of another source and no json tag
	files    []fileField
	json     map[string]reflect.Type // top-level JSON names
}

type fileField struct {
	name  string
	index []int
}

var (
	oneFile   = reflect.TypeFor[*multipart.FileHeader]()
	manyFiles = reflect.TypeFor[[]*multipart.FileHeader]()
)

// fieldsOf reads the tags of t.
func fieldsOf(t reflect.Type) typedFields {
	f := typedFields{tagged: make(map[string][]string), json: make(map[string]reflect.Type)}
	if t.Kind() == reflect.Struct {
		f.walk(t, nil, true)
	}
	return f
}

// walk reads the fields of t and of the structs within it, as Gin does. A struct
// cannot hold itself other than by a pointer, so the walk ends. top says that the
// fields are members of the JSON object itself.
func (f *typedFields) walk(t reflect.Type, prefix []int, top bool) {
	for i := range t.NumField() {
		field := t.Field(i)
		if !field.IsExported() && !field.Anonymous {
			continue
		}
		field.Index = append(slices.Clone(prefix), i)
		f.addTags(field)
		_, named := field.Tag.Lookup("json")
		promoted := field.Anonymous && !named
		if top && !promoted {
			f.addJSON(field)
		}
		if field.Type.Kind() == reflect.Struct {
			f.walk(field.Type, field.Index, top && promoted)
		}
	}
}

// addTags notes where else than in the body the field is looked for.
func (f *typedFields) addTags(field reflect.StructField) {
	elsewhere := false
	for _, tag := range []string{"uri", "header", "form"} {
		name, _, _ := strings.Cut(field.Tag.Get(tag), ",")
		if name == "" || name == "-" {
			continue
		}
		f.tagged[tag] = append(f.tagged[tag], name)
		elsewhere = true
		if tag == "form" && (field.Type == oneFile || field.Type == manyFiles) {
			f.files = append(f.files, fileField{name, field.Index})
		}
	}
	if _, named := field.Tag.Lookup("json"); elsewhere && !named {
		f.unbodied = append(f.unbodied, field.Index)
	}
}

// addJSON notes a member of the JSON object.
func (f *typedFields) addJSON(field reflect.StructField) {
	tag := field.Tag.Get("json")
	name, _, _ := strings.Cut(tag, ",")
	if name == "" {
		name = field.Name
	}
	if tag != "-" && field.IsExported() {
		f.json[name] = field.Type
	}
}

// zeroUnbodied clears the fields that a JSON body must not set. Without a json tag
// encoding/json takes them by their Go names.
func (f *typedFields) zeroUnbodied(target any) {
	v := reflect.ValueOf(target).Elem()
	for _, index := range f.unbodied {
		v.FieldByIndex(index).SetZero()
	}
}

// setFiles fills the fields for uploaded files.
func (f *typedFields) setFiles(target any, files map[string][]*multipart.FileHeader) {
	v := reflect.ValueOf(target).Elem()
	for _, field := range f.files {
		sent := files[field.name]
		if len(sent) == 0 {
			continue
		}
		to := v.FieldByIndex(field.index)
		if to.Type() == manyFiles {
			to.Set(reflect.ValueOf(sent))
			continue
		}
		to.Set(reflect.ValueOf(sent[0]))
	}
}

// clientName is how a client knows the field at the end of a path of Go names, such
// as Rows[2].Title, and where it stands. Only in a body do names nest.
func clientName(t reflect.Type, path string) (name, in string) {
	var names []string
	in = "body"
	for part := range strings.SplitSeq(path, ".") {
		goName, index, indexed := strings.Cut(part, "[")
		field, ok := fieldByName(t, goName)
		if !ok {
			names = append(names, part)
			continue
		}
		t = field.Type
		var own string
		own, in = tagName(field)
		if in != "body" {
			return own, in
		}
		if indexed {
			own += "[" + index
		}
		if _, named := field.Tag.Lookup("json"); named || !field.Anonymous {
			names = append(names, own)
		}
	}
	return strings.Join(names, "."), in
}

// fieldByName looks a field up in the struct that t is, points to or is a list of.
func fieldByName(t reflect.Type, name string) (reflect.StructField, bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Array || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return reflect.StructField{}, false
	}
	return t.FieldByName(name)
}

// tagName is the name a field has for clients: that of the first tag it is bound by.
func tagName(field reflect.StructField) (name, in string) {
	for _, source := range []struct{ tag, in string }{
		{"json", "body"}, {"uri", "path"}, {"form", "query"}, {"header", "header"},
	} {
		name, _, _ := strings.Cut(field.Tag.Get(source.tag), ",")
		if name != "" && name != "-" {
			return name, source.in
		}
	}
	return field.Name, "body"
}
