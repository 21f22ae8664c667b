package ginasync

import (
	"reflect"
	"strings"
)

// clientName is how a client knows the field at the end of a path of Go names, such
// as Rows[2].Title, and where it would stand in a request with or without a form
// body. Only in a JSON body do names nest.
func clientName(t reflect.Type, path string, formBody bool) place {
	var names []string
	for path != "" {
		var goName, index string
		goName, index, path = cutPath(path)
		field, ok := fieldByName(t, goName)
		if !ok {
			names = append(names, goName+index)
			continue
		}
		t = field.Type
		own := tagName(field, formBody)
		if own.in != "" {
			return own
		}
		if _, named := field.Tag.Lookup("json"); named || !field.Anonymous {
			names = append(names, own.name+index)
		}
	}
	return place{strings.Join(names, "."), "body"}
}

// cutPath takes the first name and the indexes behind it, brackets included, off a
// path. The keys of maps are indexes too, and may hold dots.
func cutPath(path string) (goName, index, rest string) {
	end := strings.IndexAny(path, ".[")
	if end < 0 {
		return path, "", ""
	}
	goName, rest = path[:end], path[end:]
	if rest[0] == '.' {
		return goName, "", rest[1:]
	}
	index, rest, more := strings.Cut(rest, "].")
	if more {
		index += "]"
	}
	return goName, index, rest
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
// The place is empty for a member of a JSON body.
func tagName(field reflect.StructField, formBody bool) place {
	name, form := tagged(field, "json"), tagged(field, "form")
	switch {
	case embedsStruct(field):
	case formBody && form != "":
		return place{form, "body"}
	case name != "":
	case tagged(field, "uri") != "":
		return place{tagged(field, "uri"), "path"}
	case form != "":
		return place{form, "query"}
	case tagged(field, "header") != "":
		return place{tagged(field, "header"), "header"}
	}
	if name == "" {
		name = field.Name
	}
	return place{name: name}
}
