package ginasync

import (
	"encoding/base64"
	"strings"

	"github.com/asyncendpoints/gin-async/store"
)

// Kinds of sealed values. They are part of what is stored.
const (
	sealedRequest     = "request"
	sealedEnvelope    = "envelope"
	sealedResult      = "result"
	sealedContentType = "content type"
	sealedDetail      = "detail"
	sealedMessage     = "message"
)

const (
	// sealedText is what sealed texts begin with: the rest is base64.
	sealedText = "ginasync-sealed:"
	// notOpened stands for a text that cannot be opened.
	notOpened = "(encrypted with a key that this process does not have)"
)

// sealRequest returns request and envelope of a new job, sealed. The job has no id yet,
// so they are bound to its route and its owner, and the envelope to this very request:
// a captured user cannot be put beside the request of another.
func (k *keyring) sealRequest(job *store.NewJob) (request, envelope []byte) {
	both := make([]byte, 0, len(job.Request)+len(job.Envelope)+2*sealedExtra)
	both = k.seal(both, job.Request, bondOf(sealedRequest, job.Route, job.Owner))
	end := len(both)
	both = k.seal(both, job.Envelope, envelopeBond(job.Route, job.Owner, both))
	return both[:end:end], both[end:]
}

func envelopeBond(route, owner string, sealed []byte) []byte {
	tag := sealed[len(sealed)-xaesTagSize:]
	return bondOf(sealedEnvelope, route, owner, string(tag))
}

// openClaim opens request and envelope of a claim. Those that were stored unsealed
// stay as they are. Those that do not open stay sealed, both or one of them, and
// decodeSnapshot refuses them.
func (k *keyring) openClaim(claim *store.Claim) {
	if !isSealed(claim.Request) || len(claim.Request) < sealedExtra {
		return
	}
	route, owner := claim.Job.Route, claim.Job.Owner
	// The envelope first: opening the request overwrites what it is bound to.
	envelope, err := k.open(claim.Envelope, envelopeBond(route, owner, claim.Request))
	if err != nil {
		return
	}
	request, err := k.open(claim.Request, bondOf(sealedRequest, route, owner))
	if err != nil {
		return
	}
	claim.Request, claim.Envelope = request, envelope
}

// sealOutcome seals what the outcome says of the handler's answer.
func (k *keyring) sealOutcome(id string, outcome store.Outcome) store.Outcome {
	result, problem := outcome.Result(), outcome.Problem()
	if result != nil {
		sealed := make([]byte, 0, len(result.Data)+sealedExtra)
		result = &store.Result{Response: result.Response, Data: k.seal(sealed, result.Data, bondOf(sealedResult, id))}
		result.ContentType = k.sealText(sealedContentType, id, result.ContentType)
	}
	// What a worker without the right key says has to be read by those who have it.
	if problem.Type != "request-sealed" {
		problem.Detail = k.sealText(sealedDetail, id, problem.Detail)
	}
	switch outcome.State() {
	case store.Completed:
		return store.Complete(*result)
	case store.Failed:
		return store.Fail(problem, result)
	case store.Scheduled:
		return store.RetryAfter(outcome.Delay(), problem)
	case store.Canceled, store.Queued, store.InProgress: // there is nothing to seal
	}
	return outcome
}

// openResult opens a result that is sealed; one that does not open stays sealed, and
// decodeResponse refuses it.
func (k *keyring) openResult(id string, data []byte) []byte {
	if !isSealed(data) {
		return data
	}
	if opened, err := k.open(data, bondOf(sealedResult, id)); err == nil {
		return opened
	}
	return data
}

// openTexts opens the texts of a job.
func (k *keyring) openTexts(job *store.Job) {
	job.Progress.Message = k.openText(sealedMessage, job.ID, job.Progress.Message, notOpened)
	job.Problem.Detail = k.openText(sealedDetail, job.ID, job.Problem.Detail, notOpened)
	job.Response.ContentType = k.openText(sealedContentType, job.ID, job.Response.ContentType, "")
}

// sealText seals a text. An empty one stays empty: whether there is one is no secret.
func (k *keyring) sealText(kind, id, text string) string {
	if text == "" {
		return ""
	}
	sealed := k.seal(make([]byte, 0, len(text)+sealedExtra), []byte(text), bondOf(kind, id))
	return sealedText + base64.RawURLEncoding.EncodeToString(sealed)
}

// openText opens a text, or returns instead if it does not open. One that was stored
// unsealed stays as it is.
func (k *keyring) openText(kind, id, text, instead string) string {
	encoded, sealed := strings.CutPrefix(text, sealedText)
	if !sealed {
		return text
	}
	data, err := base64.RawURLEncoding.DecodeString(encoded)
	if err == nil {
		data, err = k.open(data, bondOf(kind, id))
	}
	if err != nil {
		return instead
	}
	return string(data)
}

// withoutSealed returns instead for a text that is sealed. Texts that a process without
// keys reads have met no sealedStore.
func withoutSealed(text, instead string) string {
	if strings.HasPrefix(text, sealedText) {
		return instead
	}
	return text
}
