"""What the scripts of :mod:`unmask.queue.scripts` have in common: Lua for Redis."""

from __future__ import annotations

from rq.defaults import RQ_KEY_PREFIX

from unmask.queue.keys import MAX_ATTEMPTS

_COMMON = (
    f"""
local RQ, MAX_ATTEMPTS = '{RQ_KEY_PREFIX}:', {MAX_ATTEMPTS}
"""
    + """
local call = redis.call
local function check_key(check) return 'unmask:check:' .. check end
local function job_key(job) return 'unmask:work:' .. job end

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
  local state = call('HGET', job_key(job), 'state')
  return state == 'queued' or state == 'running'
end

-- Removes RQ's record of a job that a worker runs, or ran when it died.
local function drop_executions(job, queue)
  local worker = call('HGET', job_key(job), 'worker') or ''
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
  call('LREM', RQ .. 'queue:' .. queue, 0, job)
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
  local sha256, model, pool, probability, error_code =
    unpack(call('HMGET', key, 'sha256', 'model', 'pool', 'fake_probability', 'error_code'))
  local same_key = 'unmask:same:' .. sha256 .. ':' .. model .. ':' .. pool
  if retry and call('GET', same_key) == job then call('DEL', same_key) end
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

-- Puts a job into its queue and wakes idle workers. A job that waited before goes to the front.
local function push(job, queue, front)
  call('SADD', RQ .. 'queues', RQ .. 'queue:' .. queue)
  call(front and 'LPUSH' or 'RPUSH', RQ .. 'queue:' .. queue, job)
  call('XADD', 'unmask:arrivals', 'MAXLEN', 1, '*', 'job', '1')
end

-- Puts a job whose worker died, or that was lost, at the front of its queue. Where RQ's record of
-- it is lost too, it counts as never queued, and a janitor writes the record again.
local function push_again(job, queue)
  if call('EXISTS', RQ .. 'job:' .. job) == 1 then
    call('HSET', RQ .. 'job:' .. job, 'status', 'queued')
    push(job, queue, true)
  else
    call('HSET', job_key(job), 'pushed', 0)
  end
  change(job, 'queued')
end
"""
)


def script(body: str) -> str:
    """A whole script: ``body`` after the common functions."""
    return _COMMON + body
