"""Under which conditions an attempt runs, for its record (environment.json)."""

from __future__ import annotations

import threading
from functools import cached_property
from typing import Any

from mlebench.bundle.environment import (
    AgentOrigin,
    DataOrigin,
    EngineFacts,
    Environment,
    GpuFacts,
    HardwareFacts,
    ImageFacts,
    Limits,
    ModelFacts,
)
from mlebench.bundle.hashes import folder_sha256
from mlebench.data.manifest import read_manifest
from mlebench.hardware.api import Share
from mlebench.hardware.inventory import GB, Inventory, hardware_line, take_inventory
from mlebench.hardware.processors import cpu_model
from mlebench.running.files import sha256_of
from mlebench.running.plan import Plan
from mlebench.running.records import Attempt, allowed_models
from mlebench.running.store import versions_here
from mlebench.sandbox.base import Sandbox


class RunFacts:
    """What all attempts of a run share is learnt once, when it is first asked for; thread-safe."""

    def __init__(self, run_id: str, plan: Plan, sandbox: Sandbox) -> None:
        self._run_id = run_id
        self._plan = plan
        self._sandbox = sandbox
        self._lock = threading.Lock()
        self._data: dict[str, DataOrigin] = {}

    def environment(self, attempt: Attempt, *, protection: str | None, prices: str | None) -> Environment:
        """Everything about one attempt. `protection`: what keeps its validation service from the answers.

        `prices`: the table that its model calls are priced by.
        """
        config = self._plan.config
        with self._lock:
            return Environment(
                attempt=attempt.id,
                run=self._run_id,
                run_name=config.name,
                seed=attempt.seed,
                agent=self._agent,
                data=self._data_of(attempt.competition),
                image=self._image(),
                engine=self._engine.model_copy(update={"validation_protection": protection}),
                hardware=self._hardware_of(self._share(attempt)),
                limits=self._limits,
                models=self._models.model_copy(update={"prices": prices}),
                network=config.network,
                versions=self._versions,
            )

    @cached_property
    def _agent(self) -> AgentOrigin:
        agent = self._plan.agent
        options = {name: option.default for name, option in agent.facts.options.items()} | self._plan.config.options
        return AgentOrigin(
            name=agent.name, sha256=folder_sha256(agent.folder), command=agent.facts.command, options=options
        )

    def _data_of(self, competition: str) -> DataOrigin:
        if competition not in self._data:
            paths = self._plan.prepared[competition]
            manifest = read_manifest(paths.manifest)
            self._data[competition] = DataOrigin(
                competition=competition,
                edition=self._plan.config.edition,
                manifest_sha256=sha256_of(paths.manifest),
                content_sha256=manifest.content_sha256 if manifest else None,
                source=manifest.source if manifest else None,
                verified=manifest.verified if manifest else None,
            )
        return self._data[competition]

    def _image(self) -> ImageFacts | None:
        found: Any = self._sandbox.image_facts(self._plan.image)
        if found is None:
            return None
        return ImageFacts(
            reference=found.reference, id=found.id, digests=found.digests, packages=found.python_packages or []
        )

    @cached_property
    def _engine(self) -> EngineFacts:
        found: Any = self._sandbox.engine_facts()
        return EngineFacts(
            sandbox=self._sandbox.name,
            isolates=self._sandbox.isolates,
            version=found.version,
            runtime=self._plan.config.runtime or found.runtime,
            rootless=found.rootless,
            security=found.security,
            kernel=found.kernel,
        )

    def hardware_line(self, attempt: Attempt) -> str:
        """One line for prompts: the processors, memory and GPUs of the attempt."""
        with self._lock:
            return hardware_line(self._share(attempt), self._inventory)

    def _share(self, attempt: Attempt) -> Share:
        config = self._plan.config
        return attempt.share or Share(cpus=config.cpus, memory_gb=config.memory_gb)

    @cached_property
    def _inventory(self) -> Inventory:
        return take_inventory()

    def _hardware_of(self, share: Share) -> HardwareFacts:
        inventory = self._inventory
        gpus = []
        for device in share.gpus:
            found = inventory.device(device)
            memory = (found[1] or found[0]).memory_bytes if found is not None else None
            name = found[0].name if found is not None else None
            gpus.append(GpuFacts(id=device, name=name, memory_gb=round(memory / GB, 1) if memory else None))
        return HardwareFacts(
            processor=cpu_model(),
            processors=len(inventory.cpus),
            memory_gb=round(inventory.memory_bytes / GB, 1) if inventory.memory_bytes else None,
            gpus=gpus,
            driver=inventory.driver if gpus else None,
            share=share,
        )

    @cached_property
    def _limits(self) -> Limits:
        config = self._plan.config
        return Limits(
            time_limit_seconds=config.time_limit_seconds,
            grace_seconds=config.grace_seconds,
            disk_gb=config.disk_gb,
            pids=config.pids,
            shm_gb=config.shm_gb,
            step_limit=config.step_limit,
            usd=config.budget_usd,
            tokens=config.budget_tokens,
            calls=config.budget_calls,
        )

    @cached_property
    def _models(self) -> ModelFacts:
        config = self._plan.config
        return ModelFacts(
            model=config.model,
            roles=config.role_models,
            allowed=list(allowed_models(config)),
            replay=config.replay,
        )

    @cached_property
    def _versions(self) -> dict[str, str]:
        return versions_here()
