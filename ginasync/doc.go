// Package ginasync turns Gin routes into asynchronous jobs.
//
// A wrapped route answers 202 as soon as the request is stored. A worker, in this
// process or another, later runs the unchanged handler on a *gin.Context rebuilt
// from the stored request, and what the handler writes becomes the job's result:
//
//	r := gin.Default()
//	r.POST("/reports/:year", ginasync.Async(buildReport))
//
//	jobs, err := ginasync.New(r)
//	jobs.Routes(r.Group("/jobs"))
//	err = jobs.Run(":8080")
//
// The client follows the job over HTTP:
//
//	POST /reports/2026          202, Location: /jobs/{id}
//	GET  /jobs/{id}             200, the status document, until "done" is true
//	GET  /jobs/{id}/result      what the handler answered, plus AsyncResult: <status>
//	GET  /jobs/{id}/events      the status document at each change, as an event stream
//	POST /jobs/{id}/cancel      stops it
//	POST /jobs/{id}/retry       runs a failed one again
//	DELETE /jobs/{id}           stops it, or removes it when it is over
//	GET  /jobs                  lists the caller's jobs, with WithOwner
//
// or, in Go, with the transport of package ginasync/client, which follows it unseen.
//
// Handlers run at least once: again after a failure that is worth it, and again
// when the worker process dies. They have to bear that. The result is written
// once, by the worker that owns the attempt.
//
// # Where code runs
//
// Middleware registered before Async runs when the request is submitted;
// authentication belongs there. The handler given to Async runs in the worker, on
// an engine of the Manager's own, and with it the handlers given to [WithMiddleware]
// and [Middleware]. What other middleware put into the context with c.Set is not
// there, except for keys named with [CaptureKey].
//
// # What is stored
//
// The whole request and the whole result. A store that keeps jobs outside of this
// process (store.Local) gets no credentials in the clear: Authorization,
// Proxy-Authorization, Cookie and what [WithCredentialHeaders] names reach the worker
// only if [WithEncryption] seals everything.
package ginasync
