package ginasync

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gin-gonic/gin"
)

// The envelope is a list of pairs in the syntax of HTML forms,
//
//	client_ip=203.0.113.7&remote_addr=10.0.0.2:4711&p.year=2026&k.user=%7B…
//
// in this order. It holds what a request has beside its wire format. Names that
// a reader does not know are passed over, so that newer writers can add some.
const (
	pairClientIP   = "client_ip"
	pairRemoteAddr = "remote_addr"
	pairProto      = "proto"       // unless HTTP/1.1
	pairRequestURI = "request_uri" // when the request line has another
	pairPath       = "url.path"    // these three when no request line gives the URL
	pairRawPath    = "url.raw_path"
	pairRawQuery   = "url.raw_query"
	pairTLS        = "tls.version" // these three when the connection was encrypted
	pairTLSServer  = "tls.server_name"
	pairTLSALPN    = "tls.alpn"
	pairURL        = "url"      // what WithURL made of the request's path
	pairCallback   = "callback" // the URL that the client wants events at; the last pair
	prefixParam    = "p."       // route parameters, in order
	prefixTrailer  = "t."       // request trailers
	prefixKey      = "k."       // captured keys
)

// envelope is what an envelope says.
type envelope struct {
	clientIP, remoteAddr string
	proto, requestURI    string
	callback             string
	url                  *url.URL // Path, RawPath and RawQuery; nil: as in the request line
	tls                  *tls.ConnectionState
	public               string
	params               gin.Params
	trailer              http.Header
	keys                 []capturedKey
}

// describe collects what belongs to the request of c beside its wire format, whose
// request line has target where the client sent received.
func describe(c *gin.Context, received, target string, exact bool, keys []capturedKey) envelope {
	r := c.Request
	e := envelope{
		clientIP: c.ClientIP(), remoteAddr: r.RemoteAddr, proto: r.Proto,
		tls: r.TLS, params: c.Params, trailer: r.Trailer, keys: keys,
	}
	if received != target {
		e.requestURI = received
	}
	if !exact {
		e.url = r.URL
	}
	return e
}

// encode writes the pairs.
func (e *envelope) encode() []byte {
	dst := make([]byte, 0, e.size())
	dst = appendPair(dst, "", pairClientIP, e.clientIP)
	dst = appendPair(dst, "", pairRemoteAddr, e.remoteAddr)
	if e.proto != "" && e.proto != protoDefault {
		dst = appendPair(dst, "", pairProto, e.proto)
	}
	if e.requestURI != "" {
		dst = appendPair(dst, "", pairRequestURI, e.requestURI)
	}
	if e.url != nil {
		dst = appendPair(dst, "", pairPath, e.url.Path)
		dst = appendPair(dst, "", pairRawPath, e.url.RawPath)
		dst = appendPair(dst, "", pairRawQuery, e.url.RawQuery)
	}
	if e.tls != nil {
		dst = appendPair(dst, "", pairTLS, strconv.Itoa(int(e.tls.Version)))
		dst = appendPair(dst, "", pairTLSServer, e.tls.ServerName)
		dst = appendPair(dst, "", pairTLSALPN, e.tls.NegotiatedProtocol)
	}
	return e.encodeLists(dst)
}

// encodeLists appends the pairs of which there can be many.
func (e *envelope) encodeLists(dst []byte) []byte {
	for _, param := range e.params {
		dst = appendPair(dst, prefixParam, param.Key, param.Value)
	}
	names := make([]string, 0, len(e.trailer))
	for name := range e.trailer {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range e.trailer[name] {
			dst = appendPair(dst, prefixTrailer, name, value)
		}
	}
	for _, key := range e.keys {
		dst = appendPair(dst, prefixKey, key.name, key.value)
	}
	if e.public != "" {
		dst = appendPair(dst, "", pairURL, e.public)
	}
	return dst
}

// size guesses the encoded length; long unusual values make it grow.
func (e *envelope) size() int {
	size := len("&client_ip=&remote_addr=") + len(e.clientIP) + len(e.remoteAddr) + len(e.requestURI) + 64
	for _, param := range e.params {
		size += len(param.Key) + len(param.Value) + len("&p.=")
	}
	for _, key := range e.keys {
		size += len(key.name) + 2*len(key.value) + len("&k.=")
	}
	return size
}

// decodeEnvelope reads what encode wrote. Errors wrap errWire.
func decodeEnvelope(data []byte) (envelope, error) {
	var e envelope
	rest := string(data)
	for rest != "" {
		var pair string
		pair, rest, _ = strings.Cut(rest, "&")
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return envelope{}, fmt.Errorf("%w: envelope: %.40q is no pair", errWire, pair)
		}
		if err := e.set(name, value); err != nil {
			return envelope{}, fmt.Errorf("%w: envelope: %w", errWire, err)
		}
	}
	return e, nil
}

// set takes up one pair, both sides of which are still escaped.
func (e *envelope) set(name, value string) error {
	name, err := url.QueryUnescape(name)
	if err != nil {
		return err
	}
	if value, err = url.QueryUnescape(value); err != nil {
		return err
	}
	switch name {
	case pairClientIP:
		e.clientIP = value
	case pairRemoteAddr:
		e.remoteAddr = value
	case pairProto:
		e.proto = value
	case pairRequestURI:
		e.requestURI = value
	case pairURL:
		e.public = value
	case pairCallback:
		e.callback = value
	case pairPath, pairRawPath, pairRawQuery:
		e.setURL(name, value)
	case pairTLS, pairTLSServer, pairTLSALPN:
		return e.setTLS(name, value)
	default:
		e.append(name, value)
	}
	return nil
}

func (e *envelope) setURL(name, value string) {
	if e.url == nil {
		e.url = new(url.URL)
	}
	switch name {
	case pairPath:
		e.url.Path = value
	case pairRawPath:
		e.url.RawPath = value
	case pairRawQuery:
		e.url.RawQuery = value
	}
}

func (e *envelope) setTLS(name, value string) error {
	if e.tls == nil {
		e.tls = &tls.ConnectionState{HandshakeComplete: true}
	}
	switch name {
	case pairTLS:
		version, err := strconv.ParseUint(value, 10, 16)
		if err != nil {
			return err
		}
		e.tls.Version = uint16(version)
	case pairTLSServer:
		e.tls.ServerName = value
	case pairTLSALPN:
		e.tls.NegotiatedProtocol = value
	}
	return nil
}

// append takes up a pair of which there can be many.
func (e *envelope) append(name, value string) {
	if key, ok := strings.CutPrefix(name, prefixParam); ok {
		e.params = append(e.params, gin.Param{Key: key, Value: value})
	} else if key, ok := strings.CutPrefix(name, prefixTrailer); ok {
		if e.trailer == nil {
			e.trailer = make(http.Header)
		}
		e.trailer[key] = append(e.trailer[key], value)
	} else if key, ok := strings.CutPrefix(name, prefixKey); ok {
		e.keys = append(e.keys, capturedKey{name: key, value: []byte(value)})
	}
}

// appendPair appends prefix+name=value, escaped, after a & unless it is the first.
func appendPair[T string | []byte](dst []byte, prefix, name string, value T) []byte {
	if len(dst) > 0 {
		dst = append(dst, '&')
	}
	dst = append(dst, prefix...)
	dst = appendEscaped(dst, name)
	dst = append(dst, '=')
	return appendEscaped(dst, value)
}

// plainInEnvelope has each character that means nothing in a form, and makes the
// envelope easy to read, at its own place.
const plainInEnvelope = "                                " +
	"             -./0123456789:     " +
	" ABCDEFGHIJKLMNOPQRSTUVWXYZ    _" +
	" abcdefghijklmnopqrstuvwxyz   ~ "

// appendEscaped percent-encodes every byte but those that are plain; a space is not.
func appendEscaped[T string | []byte](dst []byte, s T) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; c > ' ' && c < 0x80 && plainInEnvelope[c] == c {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return dst
}
