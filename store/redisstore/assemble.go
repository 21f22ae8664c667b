package redisstore

import (
	"regexp"
	"strings"
)

// Redis runs a script from its first line each time, so a step costs what it defines even
// if it does not use it. Hence two things that Lua does not have: a line "--+ name" stands
// for the part of that name, there and no sooner, and constants, which are locals in upper
// case with a literal as value, are put in where they are used.

// assemble returns the text of a step as Redis gets it.
func assemble(name string) (string, error) {
	text, err := include(name)
	if err != nil {
		return "", err
	}
	return inlineConstants(withoutComments(text)), nil
}

// include returns the text of a file with the parts that it names in their places.
func include(name string) (string, error) {
	text, err := sources.ReadFile("scripts/" + name + ".lua")
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for line := range strings.Lines(string(text)) {
		part, is := strings.CutPrefix(strings.TrimSpace(line), "--+ ")
		if !is {
			all.WriteString(line)
			continue
		}
		inner, err := include(part)
		if err != nil {
			return "", err
		}
		all.WriteString(inner)
	}
	return all.String(), nil
}

// withoutComments drops the lines that are comments.
func withoutComments(text string) string {
	var all strings.Builder
	for line := range strings.Lines(text) {
		if code := strings.TrimSpace(line); code != "" && !strings.HasPrefix(code, "--") {
			all.WriteString(line)
		}
	}
	return all.String()
}

const (
	constantName  = `[A-Z][A-Z_]*`
	constantValue = `(?:\d+|'[^']*')`
)

// inlineConstants puts the values of constants in the place of their names.
func inlineConstants(text string) string {
	definition := regexp.MustCompile(`(?m)^\s*local (` + constantName + `(?:, ` + constantName + `)*) = (` +
		constantValue + `(?:, ` + constantValue + `)*)(?: --.*)?\n`)
	values := make(map[string]string)
	for _, d := range definition.FindAllStringSubmatch(text, -1) {
		literals := strings.Split(d[2], ", ")
		for i, name := range strings.Split(d[1], ", ") {
			if i < len(literals) {
				values[name] = literals[i]
			}
		}
	}
	text = definition.ReplaceAllString(text, "")
	// Quoted texts stay as they are: the names of commands are in upper case too.
	words := regexp.MustCompile(`'[^']*'|\b` + constantName + `\b`)
	return words.ReplaceAllStringFunc(text, func(word string) string {
		if value, is := values[word]; is {
			return value
		}
		return word
	})
}
