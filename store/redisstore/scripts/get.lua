-- Reads a job.
--
-- KEYS: partition, record of the job
-- Returns its view, or false when there is no such job.

--+ base
--+ more
--+ layout
--+ record

return view(id_of(KEYS[2])) or false
