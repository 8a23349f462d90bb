"""The scripts by name, and how far each session has come in them."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from mlebench.errors import UsageError
from mlebench.gateway.wire import Speech
from mlebench.scripted.script import Reply, Script, load_script

NO_RULE = Reply(status=500, error="No rule of the script meets this request.")
"""What is answered then: a test fails loudly."""
_PLAIN = Reply(text="")


def script_name(model: str) -> str:
    """The script that a model's name chooses: its last path part."""
    return model.rsplit("/", 1)[-1]


class Scripts:
    """Chooses the reply to a request; each session goes through the replies on its own."""

    def __init__(self, scripts: Path | dict[str, Script], uses: dict[tuple[str, str, int], int]) -> None:
        """`scripts`: a folder of NAME.json, or the scripts by name. `uses`: of an earlier server, to go on from."""
        self._source = scripts
        self._loaded: dict[str, Script] = {}
        self._uses = defaultdict(int, uses)

    def names(self) -> list[str]:
        """Every script there is."""
        if isinstance(self._source, dict):
            return sorted(self._source)
        return sorted(path.stem for path in self._source.glob("*.json"))

    def get(self, name: str) -> Script:
        """The script of this name; UsageError when there is none."""
        if isinstance(self._source, dict):
            if name in self._source:
                return self._source[name]
        elif name in self._loaded:
            return self._loaded[name]
        elif name in self.names():
            self._loaded[name] = load_script(self._source / f"{name}.json")
            return self._loaded[name]
        known = ", ".join(self.names()) or "none"
        raise UsageError(f"There is no script {name!r}; there are: {known}.")

    def pick(
        self, session: str, name: str, speech: Speech, model: str, tools: list[str], texts: list[str]
    ) -> tuple[int | None, int, Reply]:
        """Number of the rule that answers, its how-manieth use in the session, and its reply."""
        for number, rule in enumerate(self.get(name).rules):
            key = (session, name, number)
            if rule.times is not None and self._uses[key] >= rule.times:
                continue
            if rule.meets(speech, model, tools, texts):
                self._uses[key] += 1
                return number, self._uses[key], rule.replies[min(self._uses[key], len(rule.replies)) - 1]
        return None, 0, _PLAIN if speech is Speech.EMBEDDINGS else NO_RULE
