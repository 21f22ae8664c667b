package redistest

import (
	"slices"
	"strings"
	"sync"
)

// queue has the commands of one connection that wait for their replies.
type queue struct {
	mu         sync.Mutex
	commands   []waiting
	subscribed bool // under RESP2, where messages look like replies
	unmatched  bool // what the server sends is no longer replies to commands
}

// waiting is a command that waits for its reply. DropCommand marks the place of one that
// was not passed on: the connection ends there.
type waiting struct {
	verdict Verdict
	stream  bool // no replies follow, but bytes without end
	// A subscription is answered by a message of this name for each channel.
	confirmation string
	left         int // replies to come
}

// add puts a command that is about to be passed on to the end. It reports whether the
// link is over when that is done, because no reply will end it.
func (q *queue) add(command []string, verdict Verdict) (over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(command) == 0 {
		return false
	}
	if q.unmatched || verdict == DropCommand && len(q.commands) == 0 {
		return verdict != Pass
	}
	w := waiting{verdict: verdict, left: 1}
	switch name := strings.ToLower(command[0]); {
	case isConfirmation(name):
		w.confirmation = name
		w.left = max(1, len(command)-1)
	case name == "monitor" || name == "sync" || name == "psync":
		w.stream = true
	}
	q.commands = append(q.commands, w)
	return false
}

// isUnmatched reports whether the next bytes of the server are no reply.
func (q *queue) isUnmatched() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.unmatched || len(q.commands) > 0 && q.commands[0].stream
}

// drops reports whether a reply is to be thrown away.
func (q *queue) drops(reply []byte) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.isAnswer(reply) && q.commands[0].verdict == DropReply
}

// answered removes the command that a reply answers, if it answers one. It reports
// whether the link ends there.
func (q *queue) answered(reply []byte) (over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.isAnswer(reply) {
		return false
	}
	first := &q.commands[0]
	if first.confirmation != "" && reply[0] == '*' {
		q.subscribed = true
	}
	if first.left--; first.left > 0 && reply[0] != '-' {
		return false
	}
	q.commands = q.commands[1:]
	return len(q.commands) > 0 && q.commands[0].verdict == DropCommand
}

// unmatch ends the matching. It reports whether a verdict waits that ends the link.
func (q *queue) unmatch() (over bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	over = slices.ContainsFunc(q.commands, func(w waiting) bool { return w.verdict != Pass })
	q.commands, q.unmatched = nil, true
	return over
}

// isAnswer tells the reply to the first command from what the server says by itself, and
// from the further confirmations of an UNSUBSCRIBE that named no channel.
func (q *queue) isAnswer(reply []byte) bool {
	if len(q.commands) == 0 {
		return false
	}
	word := firstWord(reply)
	if reply[0] == '>' || q.subscribed && (isConfirmation(word) || isMessage(word)) {
		return word != "" && word == q.commands[0].confirmation
	}
	return true
}

func isConfirmation(name string) bool {
	switch name {
	case "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe":
		return true
	}
	return false
}

func isMessage(name string) bool {
	return name == "message" || name == "pmessage" || name == "smessage"
}
