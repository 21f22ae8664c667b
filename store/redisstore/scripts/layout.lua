-- The record of a job, a string: its head, its names, and behind them the payload until
-- the request is not needed any more, then the outcome. record.go is the other side.

-- HEAD is the head, which has the same length in all records. Times are in milliseconds.
-- The order is that of the constants. LENGTH is that of head and names. What the latest
-- settle did is in MARK_STATE, the number of its claim in MARK_NUMBER, and the session that
-- did it in MARK_SESSION. When a job that is over
-- expires is in the index of those, and when it ended follows from its retention.
local HEAD = '<I6I6I6c1I1I6I4I6I6I6I4I6I4c1I6c12'
local HEAD_SIZE, TIMES_SIZE = 81, 18
local CREATED, READY, DUE, STATE, FLAGS, VERSION, ATTEMPT, CLAIM = 1, 2, 3, 4, 5, 6, 7, 8
local STARTED, CANCEL_ASKED, MAX_ATTEMPTS, RETENTION, LENGTH = 9, 10, 11, 12, 13
local MARK_STATE, MARK_NUMBER, MARK_SESSION = 14, 15, 16
local FIELDS = 16
-- Where some of them are.
local STATE_AT, FLAGS_AT, CLAIM_AT, RETENTION_AT, LENGTH_AT = 19, 20, 31, 53, 59

-- States.
local QUEUED, SCHEDULED, RUNNING, COMPLETED, FAILED, CANCELED = 'q', 's', 'r', 'c', 'f', 'x'

-- Flags. OWNED: there is an owner. KEYED: there is an idempotency key. APART: there is an
-- outcome with a key of its own. GIVEN: somebody got the job by its idempotency key. BOUND:
-- it was created under a bound on the waiting jobs of its owner.
local OWNED, KEYED, APART, GIVEN, BOUND = 1, 2, 4, 8, 16

-- The value of a running job in the hash of the partition is the session that holds it,
-- the number of the claim among those of the session, its time, and its number among those
-- of the job; and behind them, if anything has changed since, the version, the time when
-- the job was asked to stop, and the latest progress. The record stays as it was.
local CLAIMED, CLAIMED_SIZE = '<c12I6I6I6', 30
local CHANGED, CHANGED_SIZE = '<I6I6', 12

-- A job whose record is larger stands in lines with its size.
local LARGE = 8192
