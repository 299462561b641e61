"""What a janitor mends: jobs of dead workers, lost jobs, expired checks, files that stay."""

from __future__ import annotations

from unmask.queue.scripts.common import script

#: Takes the jobs of dead workers back: those whose lease has expired. Returns job and outcome in
#: turn; the outcome is requeued, poison, given up, deleted, or broken (its record is damaged).
REQUEUE_EXPIRED = script("""
local poison_error = ARGV[1]  -- error of a picture that ended its worker too often (JSON)
local taken_error = ARGV[2]  -- error of a job that no worker could begin with (JSON)
local lease = tonumber(ARGV[3])  -- seconds
local answers, time = {}, now()
local function answer(job, outcome)
  answers[#answers + 1] = job
  answers[#answers + 1] = outcome
end
-- The clock may have jumped back: no lease lasts longer than one that begins now.
for _, job in ipairs(call('ZRANGEBYSCORE', 'unmask:lease', stamp(time + lease + 1), '+inf')) do
  call('ZADD', 'unmask:lease', stamp(time + lease), job)
end
local function take_back(job)
  call('ZREM', 'unmask:lease', job)
  if not is_open(job) then return answer(job, 'deleted') end
  local queue, attempts, taken =
    unpack(call('HMGET', job_key(job), 'queue', 'attempts', 'taken'))
  if tonumber(attempts) >= MAX_ATTEMPTS then
    drop_job(job, queue)
    fail(job, 'poison_picture', poison_error, false)
    return answer(job, 'poison')
  end
  if (tonumber(taken or 0) or 0) >= MAX_TAKEN then
    drop_job(job, queue)
    fail(job, 'internal', taken_error, true)
    return answer(job, 'given up')
  end
  drop_executions(job, queue)
  call('HINCRBY', 'unmask:counters', 'redelivered', 1)
  push_again(job, queue)
  answer(job, 'requeued')
end
local expired = call('ZRANGEBYSCORE', 'unmask:lease', '-inf', stamp(time))
each(expired, take_back, function(job) answer(job, 'broken') end)
return answers
""")

#: Finds orphans that were never queued, because the process that registered them died. Returns job
#: and sha256 in turn.
UNQUEUED = script("""
local min_age = tonumber(ARGV[1])  -- seconds since the last change
local jobs = arguments_from(2)  -- that were in no queue
local answers, time = {}, now()
each(jobs, function(job)
  local pushed, sha256 = unpack(call('HMGET', job_key(job), 'pushed', 'sha256'))
  local changed = tonumber(call('ZSCORE', 'unmask:open', job) or '')
  -- A change in times to come was before the clock jumped back.
  local is_old = changed and (changed <= time - min_age or changed > time + min_age)
  if pushed == '0' and sha256 and is_old then
    answers[#answers + 1] = job
    answers[#answers + 1] = sha256
  elseif not pushed then
    call('ZREM', 'unmask:open', job)
  end
end)
return answers
""")

#: Puts orphans that still are in no queue back into theirs; returns which.
REQUEUE = script("""
local jobs = ARGV
local requeued = {}
write_with_full_memory()
each(jobs, function(job)
  local queue, pushed = unpack(call('HMGET', job_key(job), 'queue', 'pushed'))
  if pushed == '1' and is_open(job) and not call('ZSCORE', 'unmask:lease', job)
     and not call('LPOS', list_key(queue), job) then
    push_again(job, queue)
    requeued[#requeued + 1] = job
  end
end)
return requeued
""")

#: Fails the jobs that have waited too long; returns how many.
FAIL_OVERDUE = script("""
local max_wait = tonumber(ARGV[1])  -- seconds
local error = ARGV[2]  -- JSON
local count, latest = 0, stamp(now() - max_wait)
local jobs = call('ZRANGEBYSCORE', 'unmask:open', '-inf', latest, 'LIMIT', 0, 1000)
each(jobs, function(job)
  local state, queue = unpack(call('HMGET', job_key(job), 'state', 'queue'))
  if state == 'queued' and not call('ZSCORE', 'unmask:lease', job) then
    drop_job(job, queue)
    fail(job, 'not_served', error, true)
    count = count + 1
  end
end)
return count
""")

#: Notes that the files of a deleted job are removed: the picture may be submitted again.
REMOVAL_DONE = script("""
local job = ARGV[1]
local sha256 = ARGV[2]  -- '' if the picture stays for another job
call('ZREM', 'unmask:removing', job .. ':' .. sha256)
return call('DEL', 'unmask:deleting:' .. sha256)
""")

#: Notes that the files of a deleted job could not be removed: others are tried before them.
REMOVAL_FAILED = script("""
local job = ARGV[1]
local sha256 = ARGV[2]  -- '' if the picture stays for another job
return call('ZADD', 'unmask:removing', 'XX', stamp(now()), job .. ':' .. sha256)
""")

#: Returns the checks that have expired, and (job:sha256) of files whose removal did not end.
DUE = script("""
local max_removal = tonumber(ARGV[1])  -- seconds that a removal may take
local time = now()
return {
  call('ZRANGEBYSCORE', 'unmask:expiry', '-inf', stamp(time), 'LIMIT', 0, 500),
  call('ZRANGEBYSCORE', 'unmask:removing', '-inf', stamp(time - max_removal))
}
""")

#: Claims a step for some seconds; returns 1, or 0 if it was claimed less than so long ago. The time
#: stands in the value, not in the key's own expiry: a clock that jumps back would prolong that.
CLAIM = script("""
local key = ARGV[1]
local seconds = tonumber(ARGV[2])
local last, time = tonumber(call('GET', key) or ''), now()
if last and last <= time and time - last < seconds then return 0 end
call('SET', key, stamp(time), 'EX', 3600)
return 1
""")

#: Whether a check that has not expired needs the pictures of a sha256, or the results of a job.
#: Writes nothing.
NEEDED = script("""
local kind = ARGV[1]  -- pictures or results
local key = ARGV[2]  -- sha256 or job
local jobs = kind == 'pictures' and call('SMEMBERS', 'unmask:picture:' .. key) or {key}
for _, job in ipairs(jobs) do
  if has_live_check(job) then return 1 end
end
return 0
""")
