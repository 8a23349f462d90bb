"""How long the gateway waits and how much it takes."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024**2


@dataclass(frozen=True)
class Limits:
    """One set for all doors of a run; the defaults suit real providers."""

    connect_seconds: float = 15.0
    """For reaching a provider."""
    silence_seconds: float = 900.0
    """A provider that sends nothing for so long is given up; reasoning models think for minutes before a plain answer."""
    total_seconds: float = 7200.0
    """For one try at a provider, from the request to the last byte of its answer."""
    tries: int = 6
    """At one call, the first included."""
    retry_seconds: float = 180.0
    """For all waiting between the tries of a call."""
    backoff_seconds: float = 0.5
    """Upper bound of the first wait; doubled each time."""
    backoff_most_seconds: float = 30.0
    drain_seconds: float = 120.0
    """How long the rest of an answer is read when the agent has hung up, to learn what it cost."""
    drain_bytes: int = 32 * MIB
    request_bytes: int = 32 * MIB
    """Of one request."""
    door_bytes: int = 512 * MIB
    """Memory for all requests of a door at the same time, roughly."""
    door_bytes_per_second: float = 4.0 * MIB
    """What a door takes in on average, beyond the burst; more waits."""
    door_burst_bytes: int = 32 * MIB
    answer_bytes: int = 64 * MIB
    """Of one answer that has to be held whole."""
    connections: int = 256
    """Of one door at the same time."""
    read_seconds: float = 120.0
    """For an agent to send its request, or to take a piece of the answer."""
