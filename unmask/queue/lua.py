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
local function check_key(id) return 'unmask:check:' .. id end
local function work_key(id) return 'unmask:work:' .. id end

local function now()
  local time = call('TIME')
  return tonumber(time[1]) + tonumber(time[2]) / 1000000
end

local function stamp(seconds) return string.format('%.6f', seconds) end

-- The state of a work, told to whoever listens. `rev` lets a listener drop what it knows already.
local function publish(work)
  local names = {'rev', 'state', 'verdict', 'fake_probability', 'error', 'model_version'}
  local values = call('HMGET', work_key(work), unpack(names))
  local event = {work = work}
  for i, name in ipairs(names) do
    if values[i] then event[name] = values[i] end
  end
  call('PUBLISH', 'unmask:events', cjson.encode(event))
end

local function change(work, state)
  call('HSET', work_key(work), 'state', state)
  call('HINCRBY', work_key(work), 'rev', 1)
  call('ZADD', 'unmask:open', stamp(now()), work)
  publish(work)
end

local function is_open(work)
  local state = call('HGET', work_key(work), 'state')
  return state == 'queued' or state == 'running'
end

-- What RQ keeps of a job that some worker runs, or ran when it died.
local function drop_executions(work, queue)
  local worker = call('HGET', work_key(work), 'worker') or ''
  for _, member in ipairs(call('ZRANGE', RQ .. 'wip:' .. queue, 0, -1)) do
    if string.sub(member, 1, #work + 1) == work .. ':' then
      call('ZREM', RQ .. 'wip:' .. queue, member)
      call('DEL', RQ .. 'execution:' .. member)
      call('SREM', RQ .. 'worker:' .. worker .. ':executions', member)
    end
  end
  call('DEL', RQ .. 'executions:' .. work)
end

-- Whatever RQ keeps of a job.
local function drop_job(work, queue)
  call('LREM', RQ .. 'queue:' .. queue, 0, work)
  for _, registry in ipairs({'failed', 'finished', 'canceled', 'deferred', 'scheduled'}) do
    call('ZREM', RQ .. registry .. ':' .. queue, work)
  end
  drop_executions(work, queue)
  call('DEL', RQ .. 'job:' .. work, RQ .. 'results:' .. work)
end

-- The end of a work. `again` says that the same picture may be asked for afresh.
local function finish(work, state, again)
  change(work, state)
  call('ZREM', 'unmask:open', work)
  call('ZREM', 'unmask:lease', work)
  local key = work_key(work)
  local about = call('HMGET', key, 'sha256', 'model', 'pool', 'fake_probability', 'error_code')
  local same = 'unmask:same:' .. about[1] .. ':' .. about[2] .. ':' .. about[3]
  if again and call('GET', same) == work then call('DEL', same) end
  for _, check in ipairs(call('SMEMBERS', 'unmask:checks:' .. work)) do
    local team = call('HGET', check_key(check), 'team')
    if team then call('ZADD', 'unmask:suspects:' .. team, about[4] or -1, check) end
  end
  call('HINCRBY', 'unmask:counters', state, 1)
  if about[5] then call('HINCRBY', 'unmask:counters', 'error:' .. about[5], 1) end
end

local function fail(work, code, error, again)
  call('HSET', work_key(work), 'error', error, 'error_code', code)
  finish(work, 'failed', again)
end

-- A job's way into its queue, and the nudge to workers that block. The front is for those that
-- waited once already.
local function push(work, queue, front)
  call('SADD', RQ .. 'queues', RQ .. 'queue:' .. queue)
  call(front and 'LPUSH' or 'RPUSH', RQ .. 'queue:' .. queue, work)
  call('XADD', 'unmask:arrivals', 'MAXLEN', 1, '*', 'job', '1')
end
"""
)


def script(body: str) -> str:
    """A whole script: ``body`` after the common functions."""
    return _COMMON + body
