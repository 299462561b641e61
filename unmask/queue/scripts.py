"""The moves of a check, each one atomic step inside Redis.

What a crash could tear apart happens in one Lua script: a job is at any moment in a queue, under a
worker's lease, or ended, and a state and the event that tells of it change together. Time is
Redis's own, so that the clocks of several hosts need not agree. Every script may be run again
after a lost answer without harm. Redis Cluster is not supported: keys are made in the scripts.
"""

from __future__ import annotations

from unmask.queue.lua import script

#: sha256, model, pool, queue, new check id, new work id, door, team, priority, idempotency key,
#: retention (s). Answers (outcome, check, work, pushed): outcome is new, shared, known (by the
#: idempotency key), mismatch, or deleting: the picture's file is just being removed, ask again.
REGISTER = script("""
local sha, model, pool, queue, check, fresh, door, team, priority, idem, retention = unpack(ARGV)
local time, outcome = now(), 'shared'
if idem ~= '' then
  local known = call('GET', idem)
  local work = known and known ~= check and call('HGET', check_key(known), 'work')
  if work then
    local found = call('HMGET', work_key(work), 'sha256', 'pushed')
    if found[1] ~= sha then return {'mismatch', '', '', '1'} end
    return {'known', known, work, found[2]}
  end
end
if call('EXISTS', 'unmask:deleting:' .. sha) == 1 then return {'deleting', '', '', '1'} end
local same = 'unmask:same:' .. sha .. ':' .. model .. ':' .. pool
local work = call('GET', same)
if not (work and call('EXISTS', work_key(work)) == 1) then
  work, outcome = fresh, 'new'
  call('SET', same, work)
  call('SADD', 'unmask:picture:' .. sha, work)
  call('HSET', work_key(work), 'sha256', sha, 'model', model, 'pool', pool, 'queue', queue,
       'state', 'queued', 'rev', 0, 'attempts', 0, 'pushed', 0, 'created', stamp(time),
       'model_version', (string.gsub(model, ':[^:]*$', '')))
  call('ZADD', 'unmask:open', stamp(time), work)
end
local key = work_key(work)
call('HSET', check_key(check), 'work', work, 'door', door, 'team', team, 'priority', priority,
     'created', stamp(time), 'expires', stamp(time + retention), 'idem', idem)
call('SADD', 'unmask:checks:' .. work, check)
call('ZADD', 'unmask:expiry', stamp(time + retention), check)
call('ZADD', 'unmask:list:' .. team, stamp(time), check)
call('ZADD', 'unmask:suspects:' .. team, call('HGET', key, 'fake_probability') or -1, check)
if idem ~= '' then call('SET', idem, check, 'EX', retention) end
-- A person who asks for what waits as bulk pulls it forward.
local before = call('HGET', key, 'queue')
if priority == 'interactive' and before ~= queue and call('HGET', key, 'state') == 'queued' then
  call('HSET', key, 'queue', queue)
  if call('LREM', RQ .. 'queue:' .. before, 1, work) == 1 then
    call('HSET', RQ .. 'job:' .. work, 'origin', queue)
    push(work, queue, false)
  end
end
return {outcome, check, work, call('HGET', key, 'pushed')}
""")

#: Work, then the fields of its RQ job. Puts the job into its queue, once.
ENQUEUE = script("""
local work = ARGV[1]
local about = call('HMGET', work_key(work), 'pushed', 'queue', 'state')
if about[1] ~= '0' or about[3] ~= 'queued' then return 0 end
call('HSET', work_key(work), 'pushed', 1)
call('HSET', RQ .. 'job:' .. work, unpack(ARGV, 2))
call('HSET', RQ .. 'job:' .. work, 'origin', about[2])
push(work, about[2], false)
change(work, 'queued')
return 1
""")

#: Most jobs, lease (s), then queues in order, '|' between those that share no batch. Answers job
#: ids. A job that was delivered before comes alone: should it end its worker again, no other
#: picture is counted as the culprit.
TAKE = script("""
local batch, most, lease = {}, tonumber(ARGV[1]), tonumber(ARGV[2])
for i = 3, #ARGV do
  if ARGV[i] == '|' and #batch > 0 then break end
  local list = RQ .. 'queue:' .. ARGV[i]
  while ARGV[i] ~= '|' and #batch < most do
    local work = call('LINDEX', list, 0)
    if not work then break end
    local attempts = tonumber(call('HGET', work_key(work), 'attempts') or 0)
    if attempts > 0 and #batch > 0 then return batch end
    call('LPOP', list)
    if is_open(work) then
      call('ZADD', 'unmask:lease', stamp(now() + lease), work)
      batch[#batch + 1] = work
      if attempts > 0 then return batch end
    end
  end
end
return batch
""")

#: Run id, worker name, lease (s), then works. Counts the delivery and tells that they run. Answers
#: for each the seconds it has waited, or -1 if it is no longer wanted.
BEGIN = script("""
local answers, time = {}, now()
for i = 4, #ARGV do
  local work, key = ARGV[i], work_key(ARGV[i])
  if is_open(work) then
    if call('HGET', key, 'run') ~= ARGV[1] then
      call('HINCRBY', key, 'attempts', 1)
      call('HSET', key, 'run', ARGV[1], 'worker', ARGV[2])
      change(work, 'running')
    end
    call('ZADD', 'unmask:lease', stamp(time + tonumber(ARGV[3])), work)
    answers[#answers + 1] = stamp(time - tonumber(call('HGET', key, 'created')))
  else
    call('ZREM', 'unmask:lease', work)
    answers[#answers + 1] = '-1'
  end
end
return answers
""")

#: Worker name, what it says of itself (JSON), lease (s), then the works in its hands. Workers that
#: were killed could not sign off: who gave no sign for a minute is forgotten.
BEAT = script("""
local time = now()
call('ZADD', 'unmask:workers', stamp(time), ARGV[1])
call('ZREMRANGEBYSCORE', 'unmask:workers', '-inf', stamp(time - 60))
call('SET', 'unmask:worker:' .. ARGV[1], ARGV[2], 'EX', 15)
for i = 4, #ARGV do
  call('ZADD', 'unmask:lease', 'XX', stamp(time + tonumber(ARGV[3])), ARGV[i])
end
return 1
""")

#: Work, tag of the model that judged, verdict, probability, version of the model. Answers 0 if the
#: work had ended or was deleted.
SETTLE_DONE = script("""
local work, model, verdict, probability, model_version = unpack(ARGV)
if not is_open(work) then return 0 end
call('HSET', work_key(work), 'verdict', verdict, 'model_version', model_version)
if probability ~= '' then call('HSET', work_key(work), 'fake_probability', probability) end
finish(work, 'done', call('HGET', work_key(work), 'model') ~= model)
return 1
""")

#: Work, 1 if the same picture may be asked for afresh, code, error (JSON).
SETTLE_FAILED = script("""
local work, again, code, error = unpack(ARGV)
if not is_open(work) then return 0 end
fail(work, code, error, again == '1')
return 1
""")

#: Error of a picture that ended its worker too often (JSON). Takes back what dead workers hold.
#: Answers (work, outcome) one after the other: requeued, poison, or gone.
RECLAIM = script("""
local answers = {}
for _, work in ipairs(call('ZRANGEBYSCORE', 'unmask:lease', '-inf', stamp(now()))) do
  call('ZREM', 'unmask:lease', work)
  local about = call('HMGET', work_key(work), 'queue', 'attempts')
  local outcome = 'gone'
  if is_open(work) then
    local fields = call('EXISTS', RQ .. 'job:' .. work) == 1
    if tonumber(about[2]) >= MAX_ATTEMPTS then
      outcome = 'poison'
      drop_job(work, about[1])
      fail(work, 'poison_picture', ARGV[1], false)
    else
      outcome = 'requeued'
      drop_executions(work, about[1])
      call('HINCRBY', 'unmask:counters', 'redelivered', 1)
      if fields then
        call('HSET', RQ .. 'job:' .. work, 'status', 'queued')
        push(work, about[1], true)
      else
        call('HSET', work_key(work), 'pushed', 0)
      end
      change(work, 'queued')
    end
  end
  answers[#answers + 1] = work
  answers[#answers + 1] = outcome
end
return answers
""")

#: Seconds since the last change, then works that were seen in no queue. Answers (work, sha256) of
#: those that were never put into one, because whoever asked died in between.
UNPUSHED = script("""
local answers = {}
local since = now() - tonumber(ARGV[1])
for i = 2, #ARGV do
  local work = ARGV[i]
  local about = call('HMGET', work_key(work), 'pushed', 'sha256')
  local changed = tonumber(call('ZSCORE', 'unmask:open', work))
  if about[1] == '0' and changed and changed <= since then
    answers[#answers + 1] = work
    answers[#answers + 1] = about[2]
  elseif not about[1] then
    call('ZREM', 'unmask:open', work)
  end
end
return answers
""")

#: Works that were seen in no queue. Those that are still in none go back into theirs.
ADOPT = script("""
local adopted = {}
for _, work in ipairs(ARGV) do
  local about = call('HMGET', work_key(work), 'queue', 'pushed')
  if about[2] == '1' and is_open(work) and not call('ZSCORE', 'unmask:lease', work)
     and not call('LPOS', RQ .. 'queue:' .. about[1], work) then
    if call('EXISTS', RQ .. 'job:' .. work) == 1 then
      call('HSET', RQ .. 'job:' .. work, 'status', 'queued')
      push(work, about[1], true)
    else
      call('HSET', work_key(work), 'pushed', 0)
    end
    change(work, 'queued')
    adopted[#adopted + 1] = work
  end
end
return adopted
""")

#: Longest wait (s), error (JSON). Fails what waits for longer; answers how many.
OVERDUE = script("""
local count, time = 0, now()
local since = stamp(time - tonumber(ARGV[1]))
for _, work in ipairs(call('ZRANGEBYSCORE', 'unmask:open', '-inf', since, 'LIMIT', 0, 1000)) do
  local about = call('HMGET', work_key(work), 'state', 'queue')
  if about[1] == 'queued' and not call('ZSCORE', 'unmask:lease', work) then
    drop_job(work, about[2])
    fail(work, 'not_served', ARGV[2], true)
    count = count + 1
  end
end
return count
""")

#: Check. Removes it; the last one of a work takes the work with it. Answers nil if there is none,
#: else (work, sha256): empty unless their files are now to be removed, to be followed by FORGOTTEN.
FORGET = script("""
local check = ARGV[1]
local about = call('HMGET', check_key(check), 'work', 'team', 'idem')
call('ZREM', 'unmask:expiry', check)
local work, team, idem = about[1], about[2], about[3]
if not work then return nil end
call('DEL', check_key(check))
call('ZREM', 'unmask:list:' .. team, check)
call('ZREM', 'unmask:suspects:' .. team, check)
if idem ~= '' and call('GET', idem) == check then call('DEL', idem) end
call('SREM', 'unmask:checks:' .. work, check)
call('PUBLISH', 'unmask:events', cjson.encode({work = work, gone = check}))
if call('SCARD', 'unmask:checks:' .. work) > 0 then return {'', ''} end
local key = work_key(work)
local found = call('HMGET', key, 'sha256', 'model', 'pool', 'queue')
local sha = found[1]
local same = 'unmask:same:' .. sha .. ':' .. found[2] .. ':' .. found[3]
if call('GET', same) == work then call('DEL', same) end
drop_job(work, found[4])
call('ZREM', 'unmask:open', work)
call('ZREM', 'unmask:lease', work)
call('DEL', key)
call('SREM', 'unmask:picture:' .. sha, work)
if call('SCARD', 'unmask:picture:' .. sha) > 0 then sha = '' end
if sha ~= '' then call('SET', 'unmask:deleting:' .. sha, '1') end
call('ZADD', 'unmask:removing', stamp(now()), work .. ':' .. sha)
return {work, sha}
""")

#: Work, sha256 ('' if the picture stays). The files are gone; the picture may be asked for again.
FORGOTTEN = script("""
call('ZREM', 'unmask:removing', ARGV[1] .. ':' .. ARGV[2])
return call('DEL', 'unmask:deleting:' .. ARGV[2])
""")

#: Work, sha256 ('' if the picture stays). The files could not be removed; others come first.
NOT_FORGOTTEN = script("""
local member = ARGV[1] .. ':' .. ARGV[2]
return call('ZADD', 'unmask:removing', 'XX', stamp(now()), member)
""")

#: Seconds. Answers the checks whose time is up, and (work:sha256) of files whose remover died.
DUE = script("""
local time = now()
return {
  call('ZRANGEBYSCORE', 'unmask:expiry', '-inf', stamp(time), 'LIMIT', 0, 500),
  call('ZRANGEBYSCORE', 'unmask:removing', '-inf', stamp(time - tonumber(ARGV[1])))
}
""")

#: Check. Answers its fields and those of its work, or nil.
LOOK = script("""
local check = call('HGETALL', check_key(ARGV[1]))
if #check == 0 then return nil end
return {check, call('HGETALL', work_key(call('HGET', check_key(ARGV[1]), 'work')))}
""")

#: Sorted set, limit, state, verdict ('' for any), score and id after which to go on ('' at first).
#: Answers rows of (id, check, work), and the score and id of the last one looked at, '' at the end.
PAGE = script("""
local list, limit, state, verdict, score, id = unpack(ARGV)
limit = tonumber(limit)
local rows, seen, offset, last = {}, 0, 0, {'', ''}
while seen < 2000 do
  local top = score ~= '' and score or '+inf'
  local part = call('ZREVRANGEBYSCORE', list, top, '-inf', 'WITHSCORES', 'LIMIT', offset, 100)
  if #part == 0 then return {rows, '', ''} end
  for i = 1, #part, 2 do
    if not (part[i + 1] == score and part[i] >= id) then
      seen = seen + 1
      last = {part[i + 1], part[i]}
      local check = call('HGETALL', check_key(part[i]))
      local work = call('HGET', check_key(part[i]), 'work')
      local about = work and call('HMGET', work_key(work), 'state', 'verdict')
      if about and (state == '' or about[1] == state)
         and (verdict == '' or about[2] == verdict) then
        rows[#rows + 1] = {part[i], check, call('HGETALL', work_key(work))}
        if #rows == limit then return {rows, last[1], last[2]} end
      end
    end
  end
  offset = offset + 100
end
return {rows, last[1], last[2]}
""")
