"""The steps of a check, each one atomic script inside Redis.

What a crash could tear apart happens in one Lua script: a job is at any moment in a queue, under a
worker's lease, or ended, and a state and the event that reports it change together. Time is
Redis's own, so that the clocks of several hosts need not agree. Every script may be run again
after a lost answer without harm. Scripts take arguments only (``ARGV``): they build their keys
themselves, so Redis Cluster is not supported.
"""
