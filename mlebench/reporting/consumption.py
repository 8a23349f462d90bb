"""What a run consumed: tokens, dollars, GPU hours, energy. Every sum says over how many attempts it is."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mlebench.gateway.api import Usage
from mlebench.reporting.overtime import seconds_of
from mlebench.reporting.statistics import Measure, earns
from mlebench.running.records import Attempt


class _Figures(BaseModel):
    model_config = ConfigDict(use_attribute_docstrings=True)


class ModelUse(_Figures):
    """One model's part."""

    model: str
    calls: int
    attempts: int
    """Attempts that asked it."""
    tokens_in: int | None
    """None, as the others, where only calls were told of each model."""
    tokens_out: int | None
    usd: float | None
    """None, too, where its price is not known."""


class ModelTotals(_Figures):
    """What the models of a run were asked for."""

    attempts: int
    """Attempts whose usage is known: those over which the sums are."""
    of: int
    """Attempts of the run."""
    calls: int
    errors: int
    refused: int
    replayed: int
    tokens_in: int
    tokens_out: int
    tokens_cached: int
    tokens_reasoning: int
    unmetered: int
    """Calls whose tokens are estimates."""
    usd: float | None
    """Sum over the attempts whose cost is known; None where none is."""
    priced: int
    """Attempts whose cost is known."""
    usd_per_attempt: float | None
    """usd / priced."""
    medals: int
    """Attempts with any medal among those whose cost is known."""
    usd_per_medal: float | None
    """usd / medals; None without a medal."""
    unpriced: list[str]
    """Models whose price is not known."""
    prices: list[str]
    """Price tables that were used."""
    exhausted: dict[str, int]
    """Attempts that used up a budget, by which one."""
    models: list[ModelUse]


class MachineTotals(_Figures):
    """What a run took of GPUs."""

    attempts: int
    """Attempts that had a GPU and ended: those over which the hours are."""
    of: int
    gpu_hours: float
    """Sum of GPUs held x hours from start to end, divided by how many attempts shared each GPU."""
    measured: int
    """Attempts with telemetry: those over which the rest is."""
    energy_kwh: float | None
    utilisation_mean: float | None
    """Per cent; mean over attempts, weighted by their samples."""
    memory_peak_gb: float | None
    """Highest of any attempt."""
    gpus: list[str]
    """Models of the GPUs."""


def model_totals(attempts: Sequence[Attempt]) -> ModelTotals | None:
    """Sums over attempts; None where no attempt has a usage."""
    used = [(one, one.usage) for one in attempts if one.usage is not None]
    if not used:
        return None
    usages = [usage for _, usage in used]
    priced = [(one, usage.usd) for one, usage in used if usage.usd is not None]
    medals = sum(earns(one, Measure.ANY_MEDAL) for one, _ in priced)
    usd = sum(cost for _, cost in priced) if priced else None
    exhausted = [usage.exhausted for usage in usages if usage.exhausted]
    return ModelTotals(
        attempts=len(used),
        of=len(attempts),
        **{
            name: sum(getattr(usage, name) for usage in usages)
            for name in (
                *("calls", "errors", "refused", "replayed", "unmetered"),
                *("tokens_in", "tokens_out", "tokens_cached", "tokens_reasoning"),
            )
        },
        usd=usd,
        priced=len(priced),
        usd_per_attempt=usd / len(priced) if usd is not None else None,
        medals=medals,
        usd_per_medal=usd / medals if usd is not None and medals else None,
        unpriced=sorted({model for usage in usages for model in usage.unpriced}),
        prices=sorted({usage.prices for usage in usages if usage.prices}),
        exhausted={name: exhausted.count(name) for name in sorted(set(exhausted))},
        models=_models(usages),
    )


def _models(usages: Sequence[Usage]) -> list[ModelUse]:
    names = sorted({model for usage in usages for model in usage.models})
    found = []
    for name in names:
        parts = [usage.spent[name] for usage in usages if name in usage.spent]
        costs = [part.usd for part in parts]
        found.append(
            ModelUse(
                model=name,
                calls=sum(usage.models.get(name, 0) for usage in usages),
                attempts=sum(name in usage.models for usage in usages),
                tokens_in=sum(part.tokens_in for part in parts) if parts else None,
                tokens_out=sum(part.tokens_out for part in parts) if parts else None,
                usd=sum(cost for cost in costs if cost is not None) if costs and None not in costs else None,
            )
        )
    return sorted(found, key=lambda use: -use.calls)


def gpu_hours(attempt: Attempt, attempts_per_gpu: int) -> float | None:
    """GPUs held x hours, divided among those that share a GPU; None where it had none, or has not ended."""
    took = seconds_of(attempt)
    if attempt.share is None or not attempt.share.gpus or took is None:
        return None
    return len(attempt.share.gpus) * took / 3600 / max(1, attempts_per_gpu)


def machine_totals(attempts: Sequence[Attempt], attempts_per_gpu: int) -> MachineTotals | None:
    """Sums over attempts; None where no attempt had a GPU."""
    hours = [held for one in attempts if (held := gpu_hours(one, attempts_per_gpu)) is not None]
    if not hours:
        return None
    told = [one.telemetry for one in attempts if one.telemetry is not None and one.telemetry.samples]
    energy = [one.energy_kwh for one in told if one.energy_kwh is not None]
    busy = [(one.utilisation_mean, one.samples) for one in told if one.utilisation_mean is not None]
    samples = sum(count for _, count in busy)
    peaks = [one.memory_peak_gb for one in told if one.memory_peak_gb is not None]
    return MachineTotals(
        attempts=len(hours),
        of=len(attempts),
        gpu_hours=sum(hours),
        measured=len(told),
        energy_kwh=sum(energy) if energy else None,
        utilisation_mean=sum(mean * count for mean, count in busy) / samples if samples else None,
        memory_peak_gb=max(peaks, default=None),
        gpus=sorted({gpu for one in told for gpu in one.gpus}),
    )
