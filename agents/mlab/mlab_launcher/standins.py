"""Modules that MLAgentBench imports but does not need here: small ones take their places.

- openai: `ChatCompletion.create`, answered by this folder's own client (chat.py): bounded patience, any model's name.
- anthropic: two texts that its prompts are put together with.
- tiktoken: an estimate, for the token counts in its step logs; its real tables would be fetched from the network.
- torch, transformers: local models. dacite: resuming. The LangChain agent: another scaffold.
"""

from __future__ import annotations

import importlib.machinery
import sys
import types
from collections.abc import Callable
from typing import Any


def install(create: Callable[..., dict[str, Any]]) -> None:
    """Put the stand-ins where `import` finds them; `create` answers chat completions."""
    chat_completion = type("ChatCompletion", (), {"create": staticmethod(create)})
    nothing = type("Nothing", (), {})
    _module("openai", ChatCompletion=chat_completion)
    _module("anthropic", HUMAN_PROMPT="\n\nHuman:", AI_PROMPT="\n\nAssistant:")
    _module("tiktoken", get_encoding=lambda name: _Encoding())
    _module("torch")
    wanted = ("AutoModelForCausalLM", "AutoTokenizer", "StoppingCriteria", "StoppingCriteriaList")
    _module("transformers", **dict.fromkeys(wanted, nothing))
    _module("dacite", from_dict=_no_resuming)
    _module("MLAgentBench.agents.agent_langchain", LangChainAgent=nothing)
    if "readline" not in sys.modules:
        try:
            import readline  # noqa: F401
        except ImportError:  # not in every Python; it is for typing at a terminal
            _module("readline")


class _Encoding:
    def encode(self, text: str) -> list[int]:
        """About one token for four characters."""
        return [0] * (len(text) // 4)


def _module(name: str, **contents: Any) -> None:
    module = types.ModuleType(name)
    module.__spec__ = importlib.machinery.ModuleSpec(name, None)  # others ask whether a module is there by its spec
    module.__dict__.update(contents)
    sys.modules[name] = module


def _no_resuming(*args: Any, **options: Any) -> Any:
    raise NotImplementedError("Resuming is not part of this launcher.")
