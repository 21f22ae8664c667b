package ginasync_test

// What the HTTP contract promises, and the tests that hold it to that in detail. Package
// checklist makes the same checks of whole services, one in memory and two processes on one
// Redis; see also chaos.TestElsewhere and the example's TestManyProcesses.
//
//	 1  a store that does not write     503, no job, the key stays free      TestStoreThatFailsLeavesTheIdempotencyKeyFree
//	 2  two equal keyed submissions     one job, one id                      TestParallelSubmitsWithOneIdempotencyKeyMakeOneJob
//	 3  the key of another request      422; of another owner: its own job   TestIdempotencyKeyIsOfOneRequestOfOneOwner
//	 4  a key in quotes and bare        are equal                            TestQuotedAndBareIdempotencyKeysAreEqual
//	 5  Prefer                          as RFC 7240 says, never an error     TestPreferences, TestPrefer, TestInline
//	 6  Vary: Prefer                    on answers that waited, too          TestPrefer, TestInline
//	 7  a handler's 404, 401, 202, 303  has AsyncResult; ours has not        TestAResultIsMarkedWhateverItsStatus, TestResult
//	 8  a handler's relative Location   leads where it led                   TestRelativeReferencesOfAResultLeadWhereTheyLed
//	 9  Set-Cookie, CORS, hop-by-hop    are not replayed                     TestAResultHasNoHeaderOfTheMomentItWasMade
//	10  compression around a job        the plain body is stored             TestAResultIsStoredWithoutTheEncodingThatOneClientTakes
//	11  another's job                   byte for byte one that never was     TestStrangers
//	12  every answer                    has Cache-Control                    TestEveryAnswerSaysThatItMustNotBeReused
//	13  the ETag                        stands without a change; 304 and     TestStatus
//	                                    Retry-After
//	14  a long poll                     misses no change                     TestStatusLongPoll
//	15  an event stream                 resumes, beats, ends                 TestEvents, TestAThousandWatchers,
//	                                                                         TestEventsOfATakenConnectionEnd, module contract
//	16  cancel                          in each state; one end of a race,    TestCancelMatrix, TestCancelVersusFinish,
//	                                    told once                            TestOneEventPerEnd
//	17  credentials                     are nowhere in the store             TestCredentials
//	18  callbacks to inner addresses    are refused                          TestCallbackIsRefused, TestCallbackThroughTheNetwork;
//	                                                                         outbound.TestCallbacksStayOutside
//	19  webhooks                        have the standard's signature; the    webhook.TestOfficialVector, TestWebhookSchedule
//	                                    id stays, the timestamp is new
//	20  OPTIONS, HEAD, Upgrade          become no job                        TestSubmit, TestAScriptOfAnotherOriginCanUseJobs
//	21  a proxy that strips a prefix;   URLs lead back;                      TestURLsLeadBackThroughAProxyThatStripsAPrefix,
//	    a spoofed X-Forwarded-Host      it means nothing                     TestURLsAreNotWhatAClientSays
//	22  a client that goes away         leaves its job alone                 TestInline, TestStatusLongPoll
//	23  a panic                         is a 500 problem without a stack     TestOutcome
//	24  an oversize result              fails, and is never cut off          TestOutcome
//	25  a malformed id                  never reaches the store              TestMalformedIDs
