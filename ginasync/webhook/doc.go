// Package webhook signs and verifies webhook messages as Standard Webhooks 1.0.0
// says. It is for those who receive the events of ginasync, and needs neither Gin nor
// the rest of the module:
//
//	secret, err := webhook.ParseSecret(os.Getenv("WEBHOOK_SECRET"))
//	…
//	func receive(w http.ResponseWriter, r *http.Request) {
//		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
//		if err != nil || webhook.Verify(r.Header, body, secret) != nil {
//			w.WriteHeader(http.StatusBadRequest)
//			return
//		}
//		var event webhook.Event
//		err = json.Unmarshal(body, &event)
//		…
//		w.WriteHeader(http.StatusNoContent)
//	}
//
// The same message may come more than once, and messages may come in another order than
// that of their events: remember the ids, [ID], that were dealt with, and of two events
// of a job believe the one with the higher version.
package webhook
