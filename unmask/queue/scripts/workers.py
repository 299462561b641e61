"""What a worker does with jobs: take, begin, renew and end them."""

from __future__ import annotations

from unmask.queue.scripts.common import script

#: Takes a batch under a lease; returns job ids. A job that was taken before comes alone: if it ends
#: its worker again, no other picture counts as the culprit; a worker that looks ahead takes none
#: while such a one is next, nor while RQ's workers are suspended. It wakes another worker while
#: more is waiting.
TAKE = script("""
local max_jobs = tonumber(ARGV[1])
local lease = tonumber(ARGV[2])  -- seconds
local max_streak = tonumber(ARGV[3])  -- batches of people in a row while bulk waits
local max_pixels = tonumber(ARGV[4])  -- of a batch, unless a single picture has more
local is_ahead = ARGV[5] == '1'  -- whether the worker holds another batch
local takes_bulk = ARGV[6] == '1'
local groups = {{}, {}}  -- queues of people and of bulk, which share no batch
if is_ahead and call('EXISTS', 'rq:suspended') == 1 then return {} end
for _, queue in ipairs(arguments_from(7)) do
  local group = groups[string.sub(queue, -5) == '-bulk' and 2 or 1]
  group[#group + 1] = queue
end

-- The job whose turn it is and its owner, nil if none waits.
local function next_waiting(queue)
  local first = call('LINDEX', list_key(queue), 0)
  if not first then return nil end
  if not field(first, 'owner') then return first, nil end
  while true do
    local owner = call('LINDEX', turns_key(queue), 0)
    if not owner then return first, nil end
    local job = call('LINDEX', lane_key(queue, owner), 0)
    if job and call('LPOS', list_key(queue), job) then return job, owner end
    -- Another program took it out of RQ's list.
    call('LPOP', lane_key(queue, owner))
    if call('EXISTS', lane_key(queue, owner)) == 0 then call('LPOP', turns_key(queue)) end
  end
end

local function take(queue, job, owner)
  call('LREM', list_key(queue), 1, job)
  if not owner then return end
  call('LPOP', lane_key(queue, owner))
  call('LPOP', turns_key(queue))
  if call('EXISTS', lane_key(queue, owner)) == 1 then call('RPUSH', turns_key(queue), owner) end
end

local is_alone_next = false
local function batch_of(queues)
  local batch, total = {}, 0
  for _, queue in ipairs(queues) do
    while #batch < max_jobs do
      local job, owner = next_waiting(queue)
      if not job then break end
      local taken = tonumber(field(job, 'taken') or 0) or 0
      local pixels = tonumber(field(job, 'pixels') or 0) or 0
      is_alone_next = is_ahead and taken > 0
      if is_alone_next then return batch end
      if #batch > 0 and (taken > 0 or total + pixels > max_pixels) then return batch end
      take(queue, job, owner)
      if is_open(job) then
        call('HSET', job_key(job), 'taken', taken + 1)
        call('ZADD', 'unmask:lease', stamp(now() + lease), job)
        batch[#batch + 1] = job
        total = total + pixels
        if taken > 0 then return batch end
      end
    end
  end
  return batch
end

local is_bulk_waiting = false
for _, queue in ipairs(groups[2]) do
  is_bulk_waiting = is_bulk_waiting or call('EXISTS', list_key(queue)) == 1
end
local streak_key = 'unmask:streak:' .. ARGV[7]
local streak = is_bulk_waiting and tonumber(call('GET', streak_key) or 0) or 0
local order = streak >= max_streak and {2, 1} or {1, 2}
for _, number in ipairs(order) do
  if number == 2 and not takes_bulk then return {} end
  local batch = batch_of(groups[number])
  if #batch > 0 then
    if number == 1 and is_bulk_waiting then call('INCR', streak_key)
    elseif is_bulk_waiting then call('DEL', streak_key) end
    for _, queue in ipairs(arguments_from(7)) do
      if call('EXISTS', list_key(queue)) == 1 then
        wake()
        break
      end
    end
    return batch
  end
  if is_alone_next then return {} end
end
return {}
""")

#: Counts the delivery and publishes that the jobs run. Returns for each the seconds that it waited,
#: its language and how often it was taken, or -1 if its checks were deleted, it has ended, or its
#: record is damaged.
BEGIN = script("""
local run = ARGV[1]  -- id of this delivery
local worker = ARGV[2]  -- name of the worker
local lease = tonumber(ARGV[3])  -- seconds
local jobs = arguments_from(4)
local answers, time = {}, now()
local function begin(job)
  local key = job_key(job)
  if not is_open(job) then
    call('ZREM', 'unmask:lease', job)
    answers[#answers + 1] = '-1'
    return
  end
  if call('HGET', key, 'run') ~= run then
    call('HINCRBY', key, 'attempts', 1)
    call('HSET', key, 'run', run, 'worker', worker)
    change(job, 'running')
  end
  call('ZADD', 'unmask:lease', stamp(time + lease), job)
  local wait = stamp(time - tonumber(call('HGET', key, 'created')))
  local language, taken = unpack(call('HMGET', key, 'language', 'taken'))
  taken = tonumber(taken or 0) or 0
  answers[#answers + 1] = wait .. ' ' .. (language or 'en') .. ' ' .. taken
end
write_with_full_memory()
each(jobs, begin, function(job) answers[#answers + 1] = '-1' end)
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
write_with_full_memory()
call('ZADD', 'unmask:workers', stamp(time), worker)
call('ZREMRANGEBYSCORE', 'unmask:workers', '-inf', stamp(time - 60))
-- The clock may have jumped back.
call('ZREMRANGEBYSCORE', 'unmask:workers', stamp(time + lease), '+inf')
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
local phash = ARGV[6]  -- perceptual hash as hex, '' for none
if not is_open(job) then return 0 end
write_with_full_memory()
call('HSET', job_key(job), 'verdict', verdict, 'model_version', model_version)
if probability ~= '' then call('HSET', job_key(job), 'fake_probability', probability) end
if phash ~= '' then call('HSET', job_key(job), 'phash', phash) end
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
write_with_full_memory()
fail(job, code, error, retry)
return 1
""")
