"""What calls cost: the price table of genai-prices, with a file of the user's own on top."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path

from pydantic import Field

from mlebench.errors import UsageError
from mlebench.gateway.providers import Providers, split_reference
from mlebench.toml import TomlFacts, load_facts

_MILLION = 1_000_000


@dataclass(frozen=True)
class Tokens:
    """Tokens of one call: `cached` and `cache_write` are parts of input, `reasoning` of output."""

    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0
    cache_write: int = 0
    """Input that the provider stored in its cache, which some charge more for."""
    cache_write_hour: int = 0
    """Part of cache_write that is kept for an hour, which costs more still."""

    @property
    def total(self) -> int:
        return self.input + self.output


class Price(TomlFacts):
    """Dollars for a million tokens."""

    input: float = Field(ge=0, allow_inf_nan=False)
    output: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    cached: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Of cached input; left out: as other input."""
    cache_write: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """Of input that is written to the cache; left out: as other input."""

    def usd(self, tokens: Tokens) -> float:
        """What a call costs."""
        plain = max(tokens.input - tokens.cached - tokens.cache_write, 0)
        cached = self.input if self.cached is None else self.cached
        write = self.input if self.cache_write is None else self.cache_write
        dollars = plain * self.input + tokens.cached * cached + tokens.cache_write * write
        return (dollars + tokens.output * self.output) / _MILLION


class _File(TomlFacts):
    prices: dict[str, Price]
    """By model reference; * and ? stand for any characters. The first that fits is used, an exact name before all."""


class PriceTable:
    """Prices by model reference. Never asks the network."""

    def __init__(self, providers: Providers, own: Path | None = None) -> None:
        """`own`: a TOML file of tables [prices."provider/name"]; UsageError when it is malformed."""
        self._providers = providers
        self._own: dict[str, Price] = {}
        self._own_name = None
        if own is not None:
            self._own = load_facts(own, _File, UsageError).prices
            self._own_name = f"{own.name} sha256:{hashlib.sha256(own.read_bytes()).hexdigest()[:12]}"

    @property
    def version(self) -> str:
        """Name and version of the table, and of the file on top."""
        from importlib.metadata import version

        table = f"genai-prices {version('genai-prices')}"
        return f"{table} + {self._own_name}" if self._own_name else table

    def usd(self, reference: str, tokens: Tokens, at: datetime) -> float | None:
        """What a call costs in dollars; None when the model's price is not known."""
        own = self._own.get(reference) or next(
            (price for pattern, price in self._own.items() if fnmatchcase(reference, pattern)), None
        )
        if own is not None:
            return own.usd(tokens)
        name, model = split_reference(reference)
        if name not in self._providers:
            return None
        provider = self._providers.get(name)
        if provider.free:
            return 0.0
        return _table_price(provider.prices or name, model, tokens, at)

    def known(self, reference: str, at: datetime) -> bool:
        """Whether the model has a price."""
        return self.usd(reference, Tokens(1, 1), at) is not None


def _table_price(provider: str, model: str, tokens: Tokens, at: datetime) -> float | None:
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=tokens.input,
        cache_read_tokens=tokens.cached,
        cache_write_tokens=tokens.cache_write,
        cache_write_1h_tokens=tokens.cache_write_hour,
        output_tokens=tokens.output,
    )
    try:
        return float(calc_price(usage, model, provider_id=provider, genai_request_timestamp=at).total_price)
    except (LookupError, ValueError):  # no such model, or counts that contradict one another
        return None
