package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a message.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// version marks a signature as HMAC-SHA256 under a shared secret.
const version = "v1"

// Event is the body of a message.
type Event struct {
	// Type is job.completed, job.failed or job.canceled.
	Type string `json:"type"`
	// Timestamp is when the job ended.
	Timestamp time.Time `json:"timestamp"`
	// Data is the job's status document, as GET /jobs/:id returned it when the job
	// ended, without progress.
	Data json.RawMessage `json:"data"`
}

// ID returns the id of a message. Every delivery of the same event has the same one.
func ID(header http.Header) string { return header.Get(headerID) }

// Sign sets the three headers of a message: its id, the time it is sent, and one
// signature for each secret, so that a receiver may know any one of them. The id
// must be the same each time the message is sent, must not contain a dot, and must not
// be chosen by a client. The body has to be sent as it is here, byte for byte.
func Sign(header http.Header, id string, sent time.Time, body []byte, secrets ...Secret) {
	timestamp := strconv.FormatInt(sent.Unix(), 10)
	signatures := make([]string, len(secrets))
	for i, secret := range secrets {
		sum := secret.sum(id, timestamp, body)
		signatures[i] = version + "," + base64.StdEncoding.EncodeToString(sum)
	}
	header.Set(headerID, id)
	header.Set(headerTimestamp, timestamp)
	header.Set(headerSignature, strings.Join(signatures, " "))
}

// sum is the HMAC of what is signed.
func (s Secret) sum(id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, []byte(s.key))
	_, _ = io.WriteString(mac, id+"."+timestamp+".") // a hash never returns an error
	_, _ = mac.Write(body)
	return mac.Sum(nil)
}
