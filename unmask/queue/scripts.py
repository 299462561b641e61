"""The steps of a check, each one atomic script inside Redis.

What a crash could tear apart happens in one Lua script: a job is at any moment in a queue, under a
worker's lease, or ended, and a state and the event that reports it change together. Time is
Redis's own, so that the clocks of several hosts need not agree. Every script may be run again
after a lost answer without harm. Scripts take arguments only (``ARGV``): they build their keys
themselves, so Redis Cluster is not supported.
"""

from __future__ import annotations

from unmask.queue.lua import script

#: Registers a check. Returns (outcome, check, job, is queued). The outcome is new, shared, known
#: (by its idempotency key), mismatch, or deleting: the picture's file is being removed, try again.
REGISTER = script("""
local sha256 = ARGV[1]  -- of the picture
local model = ARGV[2]  -- tag of the model that is to judge
local pool = ARGV[3]  -- of workers
local queue = ARGV[4]  -- name of the pool's queue for the priority
local check = ARGV[5]  -- id of the new check
local new_job = ARGV[6]  -- id of the job, if there is none to share
local door = ARGV[7]  -- that the picture came in by
local team = ARGV[8]  -- '' for none
local priority = ARGV[9]  -- interactive or bulk
local idempotency_key = ARGV[10]  -- Redis key of the caller's idempotency key, '' for none
local retention = ARGV[11]  -- seconds until the check is deleted
local time, outcome = now(), 'shared'
if idempotency_key ~= '' then
  local earlier = call('GET', idempotency_key)
  local job = earlier and earlier ~= check and call('HGET', check_key(earlier), 'work')
  if job then
    local earlier_sha256, pushed = unpack(call('HMGET', job_key(job), 'sha256', 'pushed'))
    if earlier_sha256 ~= sha256 then return {'mismatch', '', '', '1'} end
    return {'known', earlier, job, pushed}
  end
end
if call('EXISTS', 'unmask:deleting:' .. sha256) == 1 then return {'deleting', '', '', '1'} end
local same_key = 'unmask:same:' .. sha256 .. ':' .. model .. ':' .. pool
local job = call('GET', same_key)
if not (job and call('EXISTS', job_key(job)) == 1) then
  job, outcome = new_job, 'new'
  call('SET', same_key, job)
  call('SADD', 'unmask:picture:' .. sha256, job)
  call('HSET', job_key(job), 'sha256', sha256, 'model', model, 'pool', pool, 'queue', queue,
       'state', 'queued', 'rev', 0, 'attempts', 0, 'pushed', 0, 'created', stamp(time),
       'model_version', (string.gsub(model, ':[^:]*$', '')))
  call('ZADD', 'unmask:open', stamp(time), job)
end
local key = job_key(job)
call('HSET', check_key(check), 'work', job, 'door', door, 'team', team, 'priority', priority,
     'created', stamp(time), 'expires', stamp(time + retention), 'idem', idempotency_key)
call('SADD', 'unmask:checks:' .. job, check)
call('ZADD', 'unmask:expiry', stamp(time + retention), check)
call('ZADD', 'unmask:list:' .. team, stamp(time), check)
call('ZADD', 'unmask:suspects:' .. team, call('HGET', key, 'fake_probability') or -1, check)
if idempotency_key ~= '' then call('SET', idempotency_key, check, 'EX', retention) end
-- A person who asks for a picture that waits as bulk pulls it forward.
local old_queue = call('HGET', key, 'queue')
if priority == 'interactive' and old_queue ~= queue and call('HGET', key, 'state') == 'queued' then
  call('HSET', key, 'queue', queue)
  if call('LREM', RQ .. 'queue:' .. old_queue, 1, job) == 1 then
    call('HSET', RQ .. 'job:' .. job, 'origin', queue)
    push(job, queue, false)
  end
end
return {outcome, check, job, call('HGET', key, 'pushed')}
""")

#: Puts a job into its queue, once. Returns 1, or 0 if that was done before.
ENQUEUE = script("""
local job = ARGV[1]
local record = arguments_from(2)  -- fields of RQ's job hash: name, value, name, value, ...
local pushed, queue, state = unpack(call('HMGET', job_key(job), 'pushed', 'queue', 'state'))
if pushed ~= '0' or state ~= 'queued' then return 0 end
call('HSET', job_key(job), 'pushed', 1)
call('HSET', RQ .. 'job:' .. job, unpack(record))
call('HSET', RQ .. 'job:' .. job, 'origin', queue)
push(job, queue, false)
change(job, 'queued')
return 1
""")

#: Takes a batch under a lease; returns job ids. A job that was delivered before comes alone: if it
#: ends its worker again, no other picture counts as the culprit.
TAKE = script("""
local max_jobs = tonumber(ARGV[1])
local lease = tonumber(ARGV[2])  -- seconds
local queues = arguments_from(3)  -- in order, with '|' between those that share no batch
local batch = {}
for _, queue in ipairs(queues) do
  if queue == '|' and #batch > 0 then break end
  local list = RQ .. 'queue:' .. queue
  while queue ~= '|' and #batch < max_jobs do
    local job = call('LINDEX', list, 0)
    if not job then break end
    local attempts = tonumber(call('HGET', job_key(job), 'attempts') or 0)
    if attempts > 0 and #batch > 0 then return batch end
    call('LPOP', list)
    if is_open(job) then
      call('ZADD', 'unmask:lease', stamp(now() + lease), job)
      batch[#batch + 1] = job
      if attempts > 0 then return batch end
    end
  end
end
return batch
""")

#: Counts the delivery and publishes that the jobs run. Returns for each the seconds that it waited,
#: or -1 if its checks were deleted or it has ended.
BEGIN = script("""
local run = ARGV[1]  -- id of this delivery
local worker = ARGV[2]  -- name of the worker
local lease = tonumber(ARGV[3])  -- seconds
local jobs = arguments_from(4)
local answers, time = {}, now()
for _, job in ipairs(jobs) do
  local key = job_key(job)
  if is_open(job) then
    if call('HGET', key, 'run') ~= run then
      call('HINCRBY', key, 'attempts', 1)
      call('HSET', key, 'run', run, 'worker', worker)
      change(job, 'running')
    end
    call('ZADD', 'unmask:lease', stamp(time + lease), job)
    answers[#answers + 1] = stamp(time - tonumber(call('HGET', key, 'created')))
  else
    call('ZREM', 'unmask:lease', job)
    answers[#answers + 1] = '-1'
  end
end
return answers
""")

#: A worker's heartbeat, which renews its leases. Killed workers do not sign off: those without a
#: heartbeat for a minute are removed here.
HEARTBEAT = script("""
local worker = ARGV[1]  -- name of the worker
local status = ARGV[2]  -- its model, pools, speed, host and process (JSON)
local lease = tonumber(ARGV[3])  -- seconds
local jobs = arguments_from(4)  -- that the worker holds
local time = now()
call('ZADD', 'unmask:workers', stamp(time), worker)
call('ZREMRANGEBYSCORE', 'unmask:workers', '-inf', stamp(time - 60))
call('SET', 'unmask:worker:' .. worker, status, 'EX', 15)
for _, job in ipairs(jobs) do
  call('ZADD', 'unmask:lease', 'XX', stamp(time + lease), job)
end
return 1
""")

#: Ends a job with a verdict. Returns 0 if it had ended or its checks were deleted.
COMPLETE = script("""
local job = ARGV[1]
local model = ARGV[2]  -- tag of the model that judged
local verdict = ARGV[3]
local probability = ARGV[4]  -- '' where there is no face
local model_version = ARGV[5]
if not is_open(job) then return 0 end
call('HSET', job_key(job), 'verdict', verdict, 'model_version', model_version)
if probability ~= '' then call('HSET', job_key(job), 'fake_probability', probability) end
finish(job, 'done', call('HGET', job_key(job), 'model') ~= model)
return 1
""")

#: Ends a job with an error. Returns 0 if it had ended or its checks were deleted.
FAIL = script("""
local job = ARGV[1]
local retry = ARGV[2] == '1'  -- whether the next check of the picture starts a new job
local code = ARGV[3]
local error = ARGV[4]  -- JSON
if not is_open(job) then return 0 end
fail(job, code, error, retry)
return 1
""")

#: Fails a done job whose report is lost: the next check of the picture starts a new one. Returns 0
#: if it is not done, or its checks were deleted.
LOSE_RESULT = script("""
local job = ARGV[1]
local error = ARGV[2]  -- JSON
if call('HGET', job_key(job), 'state') ~= 'done' then return 0 end
call('HDEL', job_key(job), 'verdict', 'fake_probability')
fail(job, 'result_missing', error, true)
return 1
""")

#: Takes the jobs of dead workers back: those whose lease has expired. Returns job and outcome in
#: turn; the outcome is requeued, poison, or deleted.
REQUEUE_EXPIRED = script("""
local poison_error = ARGV[1]  -- error of a picture that ended its worker too often (JSON)
local answers = {}
for _, job in ipairs(call('ZRANGEBYSCORE', 'unmask:lease', '-inf', stamp(now()))) do
  call('ZREM', 'unmask:lease', job)
  local queue, attempts = unpack(call('HMGET', job_key(job), 'queue', 'attempts'))
  local outcome = 'deleted'
  if is_open(job) and tonumber(attempts) >= MAX_ATTEMPTS then
    outcome = 'poison'
    drop_job(job, queue)
    fail(job, 'poison_picture', poison_error, false)
  elseif is_open(job) then
    outcome = 'requeued'
    drop_executions(job, queue)
    call('HINCRBY', 'unmask:counters', 'redelivered', 1)
    push_again(job, queue)
  end
  answers[#answers + 1] = job
  answers[#answers + 1] = outcome
end
return answers
""")

#: Finds orphans that were never queued, because the process that registered them died. Returns job
#: and sha256 in turn.
UNQUEUED = script("""
local min_age = tonumber(ARGV[1])  -- seconds since the last change
local jobs = arguments_from(2)  -- that were in no queue
local answers, latest = {}, now() - min_age
for _, job in ipairs(jobs) do
  local pushed, sha256 = unpack(call('HMGET', job_key(job), 'pushed', 'sha256'))
  local changed = tonumber(call('ZSCORE', 'unmask:open', job))
  if pushed == '0' and changed and changed <= latest then
    answers[#answers + 1] = job
    answers[#answers + 1] = sha256
  elseif not pushed then
    call('ZREM', 'unmask:open', job)
  end
end
return answers
""")

#: Puts orphans that still are in no queue back into theirs; returns which.
REQUEUE = script("""
local jobs = ARGV
local requeued = {}
for _, job in ipairs(jobs) do
  local queue, pushed = unpack(call('HMGET', job_key(job), 'queue', 'pushed'))
  if pushed == '1' and is_open(job) and not call('ZSCORE', 'unmask:lease', job)
     and not call('LPOS', RQ .. 'queue:' .. queue, job) then
    push_again(job, queue)
    requeued[#requeued + 1] = job
  end
end
return requeued
""")

#: Fails the jobs that have waited too long; returns how many.
FAIL_OVERDUE = script("""
local max_wait = tonumber(ARGV[1])  -- seconds
local error = ARGV[2]  -- JSON
local count, latest = 0, stamp(now() - max_wait)
for _, job in ipairs(call('ZRANGEBYSCORE', 'unmask:open', '-inf', latest, 'LIMIT', 0, 1000)) do
  local state, queue = unpack(call('HMGET', job_key(job), 'state', 'queue'))
  if state == 'queued' and not call('ZSCORE', 'unmask:lease', job) then
    drop_job(job, queue)
    fail(job, 'not_served', error, true)
    count = count + 1
  end
end
return count
""")

#: Deletes a check; the last one of a job takes the job with it. Returns nil if there is none, else
#: (job, sha256) whose files the caller has to remove, both empty if none are.
DELETE_CHECK = script("""
local check = ARGV[1]
local job, team, idempotency_key = unpack(call('HMGET', check_key(check), 'work', 'team', 'idem'))
call('ZREM', 'unmask:expiry', check)
if not job then return nil end
call('DEL', check_key(check))
call('ZREM', 'unmask:list:' .. team, check)
call('ZREM', 'unmask:suspects:' .. team, check)
if idempotency_key ~= '' and call('GET', idempotency_key) == check then
  call('DEL', idempotency_key)
end
call('SREM', 'unmask:checks:' .. job, check)
call('PUBLISH', 'unmask:events', cjson.encode({work = job, gone = check}))
if call('SCARD', 'unmask:checks:' .. job) > 0 then return {'', ''} end
local key = job_key(job)
local sha256, model, pool, queue = unpack(call('HMGET', key, 'sha256', 'model', 'pool', 'queue'))
local same_key = 'unmask:same:' .. sha256 .. ':' .. model .. ':' .. pool
if call('GET', same_key) == job then call('DEL', same_key) end
drop_job(job, queue)
call('ZREM', 'unmask:open', job)
call('ZREM', 'unmask:lease', job)
call('DEL', key)
call('SREM', 'unmask:picture:' .. sha256, job)
if call('SCARD', 'unmask:picture:' .. sha256) > 0 then sha256 = '' end
if sha256 ~= '' then call('SET', 'unmask:deleting:' .. sha256, '1') end
call('ZADD', 'unmask:removing', stamp(now()), job .. ':' .. sha256)
return {job, sha256}
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

#: Returns the fields of a check and those of its job, or nil.
READ_CHECK = script("""
local check = ARGV[1]
local fields = call('HGETALL', check_key(check))
if #fields == 0 then return nil end
return {fields, call('HGETALL', job_key(call('HGET', check_key(check), 'work')))}
""")

#: Returns a page of a list: rows of (id, check, job), and the score and id of the last entry that
#: was looked at, '' at the end.
LIST_CHECKS = script("""
local list = ARGV[1]  -- key of the sorted set
local limit = tonumber(ARGV[2])
local state = ARGV[3]  -- '' for any
local verdict = ARGV[4]  -- '' for any
local after_score = ARGV[5]  -- score and id after which the page begins, '' at first
local after_id = ARGV[6]
local rows, count, offset, last = {}, 0, 0, {'', ''}
while count < 2000 do
  local top = after_score ~= '' and after_score or '+inf'
  local part = call('ZREVRANGEBYSCORE', list, top, '-inf', 'WITHSCORES', 'LIMIT', offset, 100)
  if #part == 0 then return {rows, '', ''} end
  for i = 1, #part, 2 do
    local id, score = part[i], part[i + 1]
    if not (score == after_score and id >= after_id) then
      count = count + 1
      last = {score, id}
      local check = call('HGETALL', check_key(id))
      local job = call('HGET', check_key(id), 'work')
      local values = job and call('HMGET', job_key(job), 'state', 'verdict')
      if values and (state == '' or values[1] == state)
         and (verdict == '' or values[2] == verdict) then
        rows[#rows + 1] = {id, check, call('HGETALL', job_key(job))}
        if #rows == limit then return {rows, last[1], last[2]} end
      end
    end
  end
  offset = offset + 100
end
return {rows, last[1], last[2]}
""")
