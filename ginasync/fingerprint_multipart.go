package ginasync

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/textproto"
	"slices"
	"strings"
)

// maxDigestedParts is from how many parts on a multipart body is digested as it is, with
// its boundary: as many as net/http takes in a form. It bounds what a request costs.
const maxDigestedParts = 1000

// digestParts digests what a multipart body holds, whatever its boundary: its media type
// with the other parameters, and its parts, each with its headers. ok is false for
// another content type and for a body that cannot be read as multipart.
func digestParts(contentType string, body []byte) (media, parts string, ok bool) {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(media, "multipart/") || params["boundary"] == "" {
		return "", "", false
	}
	all := newDigest("parts")
	reader := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for range maxDigestedParts {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			delete(params, "boundary")
			return mime.FormatMediaType(media, params), all.sum(), true
		}
		if err != nil {
			return "", "", false
		}
		content := sha256.New()
		if _, err := io.Copy(content, part); err != nil {
			return "", "", false
		}
		all.add(digestPartHeader(part.Header), string(content.Sum(nil)))
	}
	return "", "", false
}

// digestPartHeader digests the headers of a part; their order means nothing.
func digestPartHeader(h textproto.MIMEHeader) string {
	d := newDigest("header")
	for _, name := range slices.Sorted(maps.Keys(h)) {
		values := newDigest(name)
		values.add(h[name]...)
		d.add(values.sum())
	}
	return d.sum()
}
