"""The share of the machine that an attempt holds while its agent runs."""

from __future__ import annotations

from mlebench.hardware.api import Lease, LeaseDesk, Share


class NoShareError(Exception):
    """Everything that could be handed out is held by others at the moment; the attempt waits in the queue.

    Its text says what keeps the machine from having more, beside the run's own attempts; it may be empty.
    """


class HeldShare:
    """Takes, adopts and gives back; does nothing where nothing is handed out."""

    def __init__(self, desk: LeaseDesk | None, owner: str, *, limits_memory: bool = True) -> None:
        """`limits_memory`: False leaves the memory out of the share, where nobody asked for a limit and a limit on
        addresses would be all there is.
        """
        self._desk = desk
        self._owner = owner
        self._limits_memory = limits_memory
        self._lease: Lease | None = None

    @property
    def share(self) -> Share | None:
        """What is held."""
        if self._lease is None or self._limits_memory:
            return self._lease.share if self._lease is not None else None
        return self._lease.share.model_copy(update={"memory_gb": None})

    def take(self) -> None:
        """Get a share; NoShareError while there is none."""
        if self._desk is None:
            return
        self._lease = self._desk.take(self._owner)
        if self._lease is None:
            raise NoShareError(self._desk.waiting_for())

    def adopt(self, share: Share | None) -> None:
        """Hold again what an attempt that was taken over uses."""
        if self._desk is not None and share is not None:
            self._lease = self._desk.adopt(self._owner, share)

    def release(self) -> None:
        """Give it back; harmless when done twice."""
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.release()
