package webhook_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/asyncendpoints/gin-async/ginasync/webhook"
)

func ExampleVerify() {
	secret, err := webhook.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") // from the environment
	if err != nil {
		fmt.Println(err)
		return
	}
	receive := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err != nil || webhook.Verify(r.Header, body, secret) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		var event webhook.Event
		if json.Unmarshal(body, &event) == nil {
			fmt.Println(webhook.ID(r.Header), event.Type, string(event.Data))
		}
		w.WriteHeader(http.StatusNoContent)
	}

	body := `{"type":"job.completed","timestamp":"2026-11-23T17:51:31Z","data":{"id":"m3k…"}}`
	message := httptest.NewRequest(http.MethodPost, "/jobs", strings.NewReader(body))
	webhook.Sign(message.Header, "msg_m3k_3", time.Now(), []byte(body), secret)
	receive(httptest.NewRecorder(), message)
	// Output: msg_m3k_3 job.completed {"id":"m3k…"}
}
