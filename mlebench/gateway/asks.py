"""What an agent asks for: read from its request, checked against its ticket, turned into the provider's request."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from multidict import CIMultiDictProxy

from mlebench.errors import GatewayError
from mlebench.gateway.api import Replay, Ticket
from mlebench.gateway.backends import USER_AGENT, Backend, Backends
from mlebench.gateway.check import unknown_price
from mlebench.gateway.hosted import hosted_feature
from mlebench.gateway.meter import Expected, Meter
from mlebench.gateway.prices import PriceTable, Tokens
from mlebench.gateway.providers import SCRIPTED
from mlebench.gateway.refusal import Refusal
from mlebench.gateway.routes import MODEL_NAME, Route
from mlebench.gateway.wire import Speech, estimated_tokens, request_texts

_PASSED_ON = ("Accept", "anthropic-version", "anthropic-beta", "OpenAI-Beta")
_LIMIT_KEYS = ("max_tokens", "max_completion_tokens", "max_output_tokens")
_OTHER_MODELS = ("models", "fallbacks", "preset")
_MAY_STREAM = (Speech.CHAT, Speech.COMPLETIONS, Speech.RESPONSES, Speech.ANTHROPIC)


@dataclass(frozen=True)
class Ask:
    """One request that may be passed on."""

    route: Route
    speech: Speech
    reference: str
    """provider/name."""
    provider: str
    name: str
    body: dict[str, Any]
    """As the agent sent it."""
    stream: bool
    characters: int
    """Of its texts."""
    adds_usage: bool
    """Whether the provider is asked for usage that the agent did not ask for."""

    def data(self) -> bytes:
        """The provider's request: the agent's, with the model's own name there."""
        body = dict(self.body)
        if self.speech is not Speech.GEMINI:
            body["model"] = self.name
        elif "model" in body:
            body["model"] = f"models/{self.name}"
        if isinstance(body.get("requests"), list):
            body["requests"] = [
                {**one, "model": f"models/{self.name}"} if isinstance(one, dict) and "model" in one else one
                for one in body["requests"]
            ]
        if self.adds_usage:
            options = body.get("stream_options")
            body["stream_options"] = {**(options if isinstance(options, dict) else {}), "include_usage": True}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


class Reader:
    """Reads the requests of one attempt."""

    def __init__(self, ticket: Ticket, backends: Backends, prices: PriceTable) -> None:
        self._ticket = ticket
        self._backends = backends
        self._prices = prices
        self._session = hashlib.sha256(ticket.key.encode()).hexdigest()[:16]
        self._allowed = dict.fromkeys((ticket.model, *ticket.models)) if ticket.models else None

    def read(self, route: Route, data: bytes, meter: Meter) -> Ask:
        """Understand a request; Refusal with the reason when it is not to be passed on."""
        assert route.speech is not None
        body = _object(data)
        asked = route.model if route.model is not None else body.get("model")
        if not isinstance(asked, str) or not MODEL_NAME.fullmatch(asked) or len(asked) > 200:
            raise Refusal(400, "model_missing", "The request has to name a model, such as the one in $MODEL.")
        reference = self._chosen(asked)
        provider, _, name = reference.partition("/")
        backend = None if self._ticket.replay is Replay.REPLAY else self._backends.get(provider)
        speech = route.speech
        if backend is not None and speech not in backend.provider.speaks:
            offered = ", ".join(backend.provider.speaks)
            message = f"The provider {provider} does not speak {speech.value} here; it offers {offered}."
            raise Refusal(400, "protocol_not_offered", message)
        self._vet(speech, name, body)
        if route.generates and meter.limits_usd and not self._prices.known(reference, datetime.now(UTC)):
            raise Refusal(400, "price_unknown", unknown_price(reference))
        stream = route.streams if route.streams is not None else bool(body.get("stream")) and speech in _MAY_STREAM
        options = body.get("stream_options")
        adds = (
            stream
            and speech in (Speech.CHAT, Speech.COMPLETIONS)
            and (backend is None or backend.provider.stream_usage)
            and not (isinstance(options, dict) and options.get("include_usage"))
        )
        characters = sum(map(len, request_texts(speech, body)))
        return Ask(route, speech, reference, provider, name, body, stream, characters, adds)

    def expected(self, ask: Ask, size: int, meter: Meter) -> Expected:
        """What a call of `size` bytes may take: all of them as input, and as much output as calls took so far.

        Rather too much: it decides only whether the call waits for others when a budget is nearly used up.
        """
        if not ask.route.generates:
            return Expected(ask.reference, 0, 0, 0.0)
        config = ask.body.get("generationConfig")
        stated = [ask.body.get(key) for key in _LIMIT_KEYS]
        stated.append(config.get("maxOutputTokens") if isinstance(config, dict) else None)
        most = [one for one in stated if isinstance(one, int) and one > 0]
        made = min([meter.typical_output, *most]) if ask.speech is not Speech.EMBEDDINGS else 0
        tokens = Tokens(estimated_tokens(size), made)
        usd = self._prices.usd(ask.reference, tokens, datetime.now(UTC)) or 0.0
        return Expected(ask.reference, tokens.input, tokens.output, usd)

    def target(self, ask: Ask, given: CIMultiDictProxy[str]) -> tuple[str, dict[str, str], Backend]:
        """Address, headers and provider of the request; of the agent's headers hardly any is passed on."""
        backend = self._backends.get(ask.provider)
        headers = {name: given[name][:500] for name in _PASSED_ON if name in given}
        headers |= {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        if ask.speech is Speech.ANTHROPIC:
            headers.setdefault("anthropic-version", "2023-06-01")
        if ask.provider == SCRIPTED:
            headers["X-Mlebench-Session"] = self._session
        headers |= backend.headers(ask.speech)
        try:
            return backend.url(ask.route, ask.name), headers, backend
        except GatewayError as problem:
            raise Refusal(403, "provider_not_set_up", str(problem)) from None

    def models(self) -> list[str]:
        """References that are listed: the allowed ones, or the ticket's where all are allowed."""
        return list(self._allowed or {self._ticket.model: None})

    def _chosen(self, asked: str) -> str:
        """The reference that a model's name stands for."""
        default = self._ticket.model.partition("/")[0]
        candidates = [f"{default}/{asked}"]
        if asked.partition("/")[0] in self._backends and "/" in asked:
            candidates.insert(0, asked)
        if self._allowed is not None:
            candidates += [one for one in self._allowed if one.partition("/")[2] == asked]
            found = next((one for one in candidates if one in self._allowed), None)
        else:
            found = candidates[0]
        if found is None:
            allowed = ", ".join(self._allowed or ())
            raise Refusal(404, "model_not_found", f"The model {asked} is not allowed here; allowed: {allowed}.")
        return found

    def _vet(self, speech: Speech, name: str, body: dict[str, Any]) -> None:
        if speech is Speech.RESPONSES and body.get("background"):
            raise Refusal(400, "not_supported", "Responses in the background are not supported here.")
        other = next((key for key in _OTHER_MODELS if body.get(key)), None)
        if other is not None:
            message = f"{other} is not supported here: it would bring in models beside the one that is asked for."
            raise Refusal(400, "not_supported", message)
        if body.get("service_tier") == "priority" or body.get("speed") == "fast":
            raise Refusal(400, "not_supported", "Faster service at a higher price is not supported here.")
        if self._ticket.hosted_tools:
            return
        feature = hosted_feature(speech, name, body)
        if feature is not None:
            message = f"Not available here: {feature}. The provider would reach the network on the agent's behalf."
            raise Refusal(400, "hosted_tool", message)


def _object(data: bytes) -> dict[str, Any]:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        raise Refusal(400, "bad_request", "The request's body is not JSON.") from None
    if not isinstance(body, dict):
        raise Refusal(400, "bad_request", "The request's body is not a JSON object.")
    return body
