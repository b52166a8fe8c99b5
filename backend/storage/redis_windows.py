"""Rate limit windows in Redis, which several backends count in together."""

from __future__ import annotations

from redis.asyncio import Redis
from redis.asyncio.connection import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from backend.domain.errors import Unavailable
from backend.domain.rate_limits import WINDOW_SECONDS, Allowance

PATIENCE_SECONDS = 0.5
MAX_CONNECTIONS = 32
PREFIX = "pilothouse:rate:"

# A list of the times at which requests were let in, oldest first. Redis runs a script alone, and its clock is the one
# that all backends share.
_TAKE = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local window = tonumber(ARGV[1])
local limit = tonumber(ARGV[2])
local oldest = redis.call('LINDEX', KEYS[1], 0)
while oldest and tonumber(oldest) <= now - window do
  redis.call('LPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], 0)
end
local count = redis.call('LLEN', KEYS[1])
if count >= limit then
  local first = tonumber(redis.call('LINDEX', KEYS[1], count - limit))
  return {0, 0, tostring(first + window - now)}
end
redis.call('RPUSH', KEYS[1], string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(window * 1000))
return {1, limit - count - 1, tostring((oldest and tonumber(oldest) or now) + window - now)}
"""


class RedisWindows:
    """Sliding windows in one Redis; one round trip a request."""

    def __init__(self, url: str, *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        """`url` is redis://, rediss:// or unix://. Nothing is connected yet."""
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=MAX_CONNECTIONS,
            timeout=patience_seconds,
            socket_timeout=patience_seconds,
            socket_connect_timeout=patience_seconds,
            # One immediate retry: a Redis that was restarted leaves dead connections behind.
            retry=Retry(NoBackoff(), 1),
        )
        self._redis = Redis.from_pool(pool)
        self._take = self._redis.register_script(_TAKE)

    async def take(self, key: str, limit: int) -> Allowance:
        """Count one request; `limit` is at least 1. Raises Unavailable where Redis does not answer in time."""
        try:
            allowed, remaining, reset_after = await self._take(keys=[PREFIX + key], args=[WINDOW_SECONDS, limit])
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable(f"Redis does not answer: {type(error).__name__}") from error
        return Allowance(bool(allowed), limit, int(remaining), max(0.0, float(reset_after)))

    async def close(self) -> None:
        await self._redis.aclose()
