"""What doors do with a check: register, queue, read, list and delete it."""

from __future__ import annotations

from unmask.queue.scripts.common import script

#: Registers a check. Returns (outcome, check, job, is queued). The outcome is new, shared, known
#: (by its idempotency key), mismatch, too_many (no more checks are kept for this owner), or
#: deleting: the picture's file is being removed, try again.
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
local owner = ARGV[12]  -- tag of the key, address or user that sends the picture
local max_checks = tonumber(ARGV[13])  -- that are kept for one owner
local pixels = ARGV[14]  -- of the picture
local language = ARGV[15]  -- of the words on the annotated picture
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
if (tonumber(call('HGET', 'unmask:kept', owner) or 0)) >= max_checks then
  return {'too_many', '', '', '1'}
end
local same = same_key(sha256, model, pool, language)
local job = call('GET', same)
if not (job and call('EXISTS', job_key(job)) == 1) then
  job, outcome = new_job, 'new'
  call('SET', same, job)
  call('SADD', 'unmask:picture:' .. sha256, job)
  call('HSET', job_key(job), 'sha256', sha256, 'model', model, 'pool', pool, 'queue', queue,
       'language', language, 'owner', owner, 'pixels', pixels, 'state', 'queued', 'rev', 0,
       'attempts', 0, 'pushed', 0, 'created', stamp(time),
       'model_version', (string.gsub(model, ':[^:]*$', '')))
  call('ZADD', 'unmask:open', stamp(time), job)
end
local key = job_key(job)
call('HSET', check_key(check), 'work', job, 'door', door, 'team', team, 'priority', priority,
     'created', stamp(time), 'expires', stamp(time + retention), 'idem', idempotency_key,
     'owner', owner)
call('HINCRBY', 'unmask:kept', owner, 1)
call('SADD', 'unmask:checks:' .. job, check)
call('ZADD', 'unmask:expiry', stamp(time + retention), check)
call('ZADD', 'unmask:list:' .. team, stamp(time), check)
call('ZADD', 'unmask:suspects:' .. team, call('HGET', key, 'fake_probability') or -1, check)
if idempotency_key ~= '' then call('SET', idempotency_key, check, 'EX', retention) end
-- A person who asks for a picture that waits as bulk pulls it forward, and so does an owner who
-- waits for fewer pictures than the one in whose lane it is.
local old_queue, old_owner, state = unpack(call('HMGET', key, 'queue', 'owner', 'state'))
if state == 'queued' then
  local is_pulled = priority == 'interactive' and old_queue ~= queue
  local new_queue = is_pulled and queue or old_queue
  local is_shorter = old_owner and old_owner ~= owner and
    call('LLEN', lane_key(new_queue, owner)) + 1 < call('LLEN', lane_key(old_queue, old_owner))
  if is_pulled or is_shorter then
    local waits = call('LREM', list_key(old_queue), 1, job) == 1
    leave_lane(job, old_queue)
    call('HSET', key, 'queue', new_queue, 'owner', owner)
    if waits then
      call('HSET', RQ .. 'job:' .. job, 'origin', new_queue)
      push(job, new_queue, false)
    end
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

#: Returns the fields of a check and those of its job, or nil; also nil once the check has expired,
#: which a janitor may be late to remove.
READ_CHECK = script("""
local check = ARGV[1]
local fields = call('HGETALL', check_key(check))
if #fields == 0 then return nil end
local job, expires = unpack(call('HMGET', check_key(check), 'work', 'expires'))
if not job or not expires or (tonumber(expires) or 0) <= now() then return nil end
return {fields, call('HGETALL', job_key(job))}
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
local rows, count, offset, last, time = {}, 0, 0, {'', ''}, now()
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
      local job, expires = unpack(call('HMGET', check_key(id), 'work', 'expires'))
      local is_live = expires and (tonumber(expires) or 0) > time
      local values = job and is_live and call('HMGET', job_key(job), 'state', 'verdict')
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

#: Returns the ids and times of up to so many checks that stand before a check in a list, the latest
#: first, in turn.
CHECKS_BEFORE = script("""
local list, check, most = ARGV[1], ARGV[2], tonumber(ARGV[3])
local time = call('ZSCORE', list, check)
if not time then return {} end
return call('ZREVRANGEBYSCORE', list, '(' .. time, '-inf', 'WITHSCORES', 'LIMIT', 0, most)
""")

#: Returns the state of each check's job, its picture's sha256 and perceptual hash, in turn; ''
#: where there is none.
LOOKS = script("""
local answer = {}
for _, check in ipairs(ARGV) do
  local job = call('HGET', check_key(check), 'work')
  local values = job and call('HMGET', job_key(job), 'state', 'sha256', 'phash') or {}
  for place = 1, 3 do answer[#answer + 1] = values[place] or '' end
end
return answer
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

#: Deletes a check; the last one of a job takes the job with it. Returns nil if there is none, else
#: (job, sha256) whose files the caller has to remove, both empty if none are.
DELETE_CHECK = script("""
local check = ARGV[1]
call('ZREM', 'unmask:expiry', check)
local key = check_key(check)
if call('EXISTS', key) == 0 then return nil end
local job, team, idempotency_key, owner =
  unpack(call('HMGET', key, 'work', 'team', 'idem', 'owner'))
call('DEL', key)
call('ZREM', 'unmask:list:' .. (team or ''), check)
call('ZREM', 'unmask:suspects:' .. (team or ''), check)
if idempotency_key and idempotency_key ~= '' and call('GET', idempotency_key) == check then
  call('DEL', idempotency_key)
end
if owner and call('HINCRBY', 'unmask:kept', owner, -1) <= 0 then
  call('HDEL', 'unmask:kept', owner)
end
if not job then return {'', ''} end
call('PUBLISH', 'unmask:events', cjson.encode({work = job, gone = check}))
call('SREM', 'unmask:checks:' .. job, check)
if call('SCARD', 'unmask:checks:' .. job) > 0 then return {'', ''} end
local sha256, model, pool, queue, language =
  unpack(call('HMGET', job_key(job), 'sha256', 'model', 'pool', 'queue', 'language'))
call('ZREM', 'unmask:open', job)
call('ZREM', 'unmask:lease', job)
if not (sha256 and model and pool and queue) then
  call('DEL', job_key(job))
  return {job, ''}
end
local same = same_key(sha256, model, pool, language)
if call('GET', same) == job then call('DEL', same) end
drop_job(job, queue)
call('DEL', job_key(job))
call('SREM', 'unmask:picture:' .. sha256, job)
if call('SCARD', 'unmask:picture:' .. sha256) > 0 then sha256 = '' end
if sha256 ~= '' then call('SET', 'unmask:deleting:' .. sha256, '1') end
call('ZADD', 'unmask:removing', stamp(now()), job .. ':' .. sha256)
return {job, sha256}
""")

#: Returns the (job, sha256) whose files go with a check, both empty if another check needs them, or
#: nil if there is no such check. Writes nothing.
FILES_OF_CHECK = script("""
local check = ARGV[1]
local job = call('HGET', check_key(check), 'work')
if not job then return nil end
if call('SCARD', 'unmask:checks:' .. job) > 1 then return {'', ''} end
local sha256 = field(job, 'sha256') or ''
if sha256 ~= '' and call('SCARD', 'unmask:picture:' .. sha256) > 1 then sha256 = '' end
return {job, sha256}
""")
