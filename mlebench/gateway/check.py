"""Whether a run's models can be used at all, before anything is started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from mlebench.errors import UsageError
from mlebench.gateway.api import Replay
from mlebench.gateway.providers import SCRIPTED, Providers, load_providers, split_reference
from mlebench.gateway.wire import Speech

_PLAIN = {
    Speech.CHAT: "OpenAI's chat completions",
    Speech.RESPONSES: "OpenAI's responses",
    Speech.COMPLETIONS: "OpenAI's legacy completions",
    Speech.EMBEDDINGS: "OpenAI's embeddings",
    Speech.ANTHROPIC: "Anthropic's messages",
    Speech.GEMINI: "Gemini's generateContent",
}


def check_model(
    reference: str,
    speaks: str,
    providers: Path | Providers | None = None,
    *,
    prices: Path | None = None,
    budget_usd: float | None = None,
    scripts: Path | None = None,
    replay: Replay = Replay.OFF,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Raise UsageError or GatewayError with one sentence when `reference` cannot be used by an agent that `speaks` so.

    Looked at: the reference's form, the provider, its protocols, its key (not for `replay`, which asks nobody), with
    `budget_usd` the model's price, and for scripted models the script in the folder `scripts` where it is given.
    """
    name, model = split_reference(reference)
    known = providers if isinstance(providers, Providers) else load_providers(providers)
    provider = known.get(name)
    speech = Speech(speaks)
    if speech not in provider.speaks:
        offered = ", ".join(provider.speaks)
        raise UsageError(
            f"The agent speaks {speaks} ({_PLAIN[speech]}), which the provider {name} does not offer; it has {offered}."
        )
    if name == SCRIPTED:
        _check_script(model, scripts)
    elif replay is not Replay.REPLAY:
        given = os.environ if environment is None else environment
        provider.secret(name, given)
        provider.address(speech, given)
    if budget_usd is not None or prices is not None:
        _check_price(reference, known, prices, budget_usd)


def _check_script(model: str, scripts: Path | None) -> None:
    if scripts is None:
        return
    from mlebench.scripted.script import load_script
    from mlebench.scripted.sessions import Scripts, script_name

    Scripts(scripts, {}).get(script_name(model))
    load_script(scripts / f"{script_name(model)}.json")


def _check_price(reference: str, known: Providers, prices: Path | None, budget_usd: float | None) -> None:
    from mlebench.gateway.prices import PriceTable

    table = PriceTable(known, prices)
    if budget_usd is not None and not table.known(reference, datetime.now(UTC)):
        raise UsageError(unknown_price(reference))


def unknown_price(reference: str) -> str:
    """The sentence for a model without a price where there is a budget in dollars."""
    return (
        f"The price of {reference} is not known, so a budget in dollars cannot be kept: "
        f'give it in a prices file (--prices FILE with [prices."{reference}"] input = ..., output = ...).'
    )
