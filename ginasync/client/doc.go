// Package client lets a program that was written for a synchronous route call an
// asynchronous one of package ginasync unchanged. [Transport] is an http.RoundTripper:
// when a route answers 202 it waits for the job, and returns what the handler answered.
//
//	api := &http.Client{Transport: client.New()}
//	resp, err := api.Post("https://api.example.com/reports/2026", "application/json", body)
//
// Here resp has the handler's status, headers and body, as if the route had run it at
// once, and AsyncResult beside them. Answers of any other kind, other people's 202 among
// them, are passed through untouched.
//
// Routes that answer 202 only to those who ask for it (ginasync.OnPrefer) do so when the
// caller sets Prefer: respond-async; the Transport adds nothing to the request.
//
// # What is a response and what is an error
//
// What the handler answered is a response, whatever its status. So is what the server
// answers in its place when the last attempt timed out, panicked or lost its worker: a
// problem document (RFC 9457) with status 500 or 504. Both have the header AsyncResult.
//
// That the job was canceled, that it is gone, that its URL answers something else, or
// that nobody answers, is an error, a [*JobError]: it says nothing of the handler, and a
// status code could be taken for the handler's. So is the end of the request's context;
// errors.Is sees the context's error through it.
//
// # How it waits
//
// By long polls (Prefer: wait, RFC 7240) of the result's URL: a job costs one request
// for each half minute it takes, and its end is known at once. Where a server does not
// wait the pause is what Retry-After says, and a second at least. The request's
// context, and with it http.Client.Timeout, bounds the whole, waiting included: a client
// that gives up after ten seconds needs another Timeout for jobs that take longer.
//
// Polls that fail, because the connection is lost or the answer is 408, 425, 429 or 5xx,
// are repeated, after Retry-After or a pause that grows, until none has succeeded for
// five minutes. The job is not affected: it is polls that are repeated, never the
// request, except with [WithIdempotencyKeys].
//
// # What the server gets to see
//
// Polls go to the scheme, host and port of the request alone, wherever the 202 points.
// They carry the headers of the request, Authorization and Cookie included, without
// those that speak of its content, of ranges and conditions, or of its method. A header that signs
// the request fits no other one: let the transport of [WithBase] sign instead.
package client
