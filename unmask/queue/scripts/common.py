"""What the scripts have in common: Lua for Redis."""

from __future__ import annotations

from rq.defaults import RQ_KEY_PREFIX

from unmask.queue.keys import MAX_ATTEMPTS, MAX_TAKEN

_COMMON = (
    f"""
local RQ, MAX_ATTEMPTS, MAX_TAKEN = '{RQ_KEY_PREFIX}:', {MAX_ATTEMPTS}, {MAX_TAKEN}
"""
    + """
local call = redis.call
local function check_key(check) return 'unmask:check:' .. check end
local function job_key(job) return 'unmask:work:' .. job end
local function list_key(queue) return RQ .. 'queue:' .. queue end
local function turns_key(queue) return 'unmask:turns:' .. queue end
local function lane_key(queue, owner) return 'unmask:lane:' .. queue .. ':' .. owner end

-- The key of the job that a new check of a picture joins. That of English names no language, as in
-- the version before.
local function same_key(sha256, model, pool, language)
  local key = 'unmask:same:' .. sha256 .. ':' .. model .. ':' .. pool
  if language and language ~= 'en' then key = key .. ':' .. language end
  return key
end

local function now()
  local time = call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

-- The arguments from number `first` on. `unpack` would end the script at some thousands.
local function arguments_from(first)
  local values = {}
  for i = first, #ARGV do values[#values + 1] = ARGV[i] end
  return values
end

local function stamp(seconds) return string.format('%.6f', seconds) end

-- A field of a job, false if there is none; also where the key holds something else.
local function field(job, name)
  local value = redis.pcall('HGET', job_key(job), name)
  return type(value) == 'string' and value
end

-- Whether an error is that of a damaged record. Any other (no memory, no disk, no permission) says
-- nothing of the job.
local function is_of_record(fault)
  local text = type(fault) == 'table' and fault.err or tostring(fault)
  for _, sign in ipairs({'WRONGTYPE', 'attempt to', 'not a valid float', 'not an integer'}) do
    if string.find(text, sign, 1, true) then return true end
  end
  return false
end

-- With its memory full, Redis refuses a script whose first write needs memory. What a job needs to
-- end is little, and is given back: such a script begins with a write that needs none.
local function write_with_full_memory() call('ZREM', 'unmask:open', '') end

-- Runs `work` on each job. Where a record is damaged the others still get their turn; the job is
-- given up, and `broken` is called for it.
local function each(jobs, work, broken)
  for _, job in ipairs(jobs) do
    local done, fault = pcall(work, job)
    if not done then
      if not is_of_record(fault) then error(fault, 0) end
      call('ZREM', 'unmask:lease', job)
      call('ZREM', 'unmask:open', job)
      if broken then broken(job) end
    end
  end
end

-- Publishes a job's state. `rev` lets a listener drop a change that it has seen.
local function publish(job)
  local names = {'rev', 'state', 'verdict', 'fake_probability', 'error', 'model_version'}
  local values = call('HMGET', job_key(job), unpack(names))
  local event = {work = job}
  for i, name in ipairs(names) do
    if values[i] then event[name] = values[i] end
  end
  call('PUBLISH', 'unmask:events', cjson.encode(event))
end

local function change(job, state)
  call('HSET', job_key(job), 'state', state)
  call('HINCRBY', job_key(job), 'rev', 1)
  call('ZADD', 'unmask:open', stamp(now()), job)
  publish(job)
end

local function is_open(job)
  local state = field(job, 'state')
  return state == 'queued' or state == 'running'
end

-- Each owner (a key, an address, a user) has a lane in a queue, and the owners take turns: many
-- pictures of one do not hold up the single picture of another. RQ's list says what waits; lanes
-- say in which order it is taken. Jobs of the version before have no owner, and so no lane.
local function join_lane(job, queue, front)
  local owner = field(job, 'owner')
  if not owner then return end
  local lane, where = lane_key(queue, owner), front and 'LPUSH' or 'RPUSH'
  if call('EXISTS', lane) == 0 then call(where, turns_key(queue), owner) end
  call(where, lane, job)
end

local function leave_lane(job, queue)
  local owner = field(job, 'owner')
  if not owner then return end
  local lane = lane_key(queue, owner)
  if call('LREM', lane, 1, job) == 1 and call('EXISTS', lane) == 0 then
    call('LREM', turns_key(queue), 1, owner)
  end
end

-- Removes RQ's record of a job that a worker runs, or ran when it died.
local function drop_executions(job, queue)
  local worker = field(job, 'worker') or ''
  for _, member in ipairs(call('ZRANGE', RQ .. 'wip:' .. queue, 0, -1)) do
    if string.sub(member, 1, #job + 1) == job .. ':' then
      call('ZREM', RQ .. 'wip:' .. queue, member)
      call('DEL', RQ .. 'execution:' .. member)
      call('SREM', RQ .. 'worker:' .. worker .. ':executions', member)
    end
  end
  call('DEL', RQ .. 'executions:' .. job)
end

-- Removes everything that RQ keeps of a job.
local function drop_job(job, queue)
  call('LREM', list_key(queue), 0, job)
  leave_lane(job, queue)
  for _, registry in ipairs({'failed', 'finished', 'canceled', 'deferred', 'scheduled'}) do
    call('ZREM', RQ .. registry .. ':' .. queue, job)
  end
  drop_executions(job, queue)
  call('DEL', RQ .. 'job:' .. job, RQ .. 'results:' .. job)
end

-- Ends a job. With `retry` the next check of the same picture starts a new job.
local function finish(job, state, retry)
  change(job, state)
  call('ZREM', 'unmask:open', job)
  call('ZREM', 'unmask:lease', job)
  local key = job_key(job)
  local sha256, model, pool, language, probability, error_code = unpack(call('HMGET', key,
    'sha256', 'model', 'pool', 'language', 'fake_probability', 'error_code'))
  local same = sha256 and same_key(sha256, model, pool, language)
  if retry and same and call('GET', same) == job then call('DEL', same) end
  for _, check in ipairs(call('SMEMBERS', 'unmask:checks:' .. job)) do
    local team = call('HGET', check_key(check), 'team')
    if team then call('ZADD', 'unmask:suspects:' .. team, probability or -1, check) end
  end
  call('HINCRBY', 'unmask:counters', state, 1)
  if error_code then call('HINCRBY', 'unmask:counters', 'error:' .. error_code, 1) end
end

local function fail(job, code, error, retry)
  call('HSET', job_key(job), 'error', error, 'error_code', code)
  finish(job, 'failed', retry)
end

-- Wakes an idle worker of each set of pools; those that do not serve the job sleep on.
local function wake()
  call('XADD', 'unmask:arrivals', 'MAXLEN', 1, '*', 'job', '1')
end

-- Puts a job into its queue and wakes an idle worker. A job that waited before goes to the front.
local function push(job, queue, front)
  call('SADD', RQ .. 'queues', list_key(queue))
  call(front and 'LPUSH' or 'RPUSH', list_key(queue), job)
  join_lane(job, queue, front)
  wake()
end

-- Puts a job whose worker died, or that was lost, at the front of its queue. Where RQ's record of
-- it is lost too, it counts as never queued, and a janitor writes the record again.
local function push_again(job, queue)
  if call('EXISTS', RQ .. 'job:' .. job) == 1 then
    call('HSET', RQ .. 'job:' .. job, 'status', 'queued')
    leave_lane(job, queue)
    push(job, queue, true)
  else
    call('HSET', job_key(job), 'pushed', 0)
  end
  change(job, 'queued')
end

-- Whether a check that has not expired belongs to a job.
local function has_live_check(job)
  local cursor, time = '0', now()
  repeat
    local answer = call('SSCAN', 'unmask:checks:' .. job, cursor, 'COUNT', 100)
    cursor = answer[1]
    for _, check in ipairs(answer[2]) do
      local expires = call('HGET', check_key(check), 'expires')
      if expires and (tonumber(expires) or 0) > time then return true end
    end
  until cursor == '0'
  return false
end
"""
)


def script(body: str) -> str:
    """A whole script: ``body`` after the common functions."""
    return _COMMON + body
