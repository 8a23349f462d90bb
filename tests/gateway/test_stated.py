"""Usage as the providers state it, whichever way the bytes of their streams are cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlebench.gateway.prices import Tokens
from mlebench.gateway.stated import Statement, Stream
from mlebench.gateway.wire import Speech, request_texts, request_tools

DEEPSEEK = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120, "prompt_cache_hit_tokens": 64}
XAI = {
    "prompt_tokens": 100,
    "completion_tokens": 5,
    "total_tokens": 125,
    "completion_tokens_details": {"reasoning_tokens": 20},
}
ANTHROPIC = {"input_tokens": 10, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 60, "output_tokens": 7}
GEMINI = {
    "promptTokenCount": 90,
    "toolUsePromptTokenCount": 10,
    "cachedContentTokenCount": 50,
    "candidatesTokenCount": 30,
    "thoughtsTokenCount": 12,
    "totalTokenCount": 142,
}


@pytest.mark.parametrize(
    ("speech", "answer", "tokens"),
    [
        (Speech.CHAT, {"choices": [], "usage": DEEPSEEK}, Tokens(100, 20, 64)),
        (Speech.CHAT, {"choices": [], "usage": XAI}, Tokens(100, 25, 0, 20)),
        (Speech.CHAT, {"choices": [], "x_groq": {"usage": DEEPSEEK}}, Tokens(100, 20, 64)),
        (Speech.EMBEDDINGS, {"data": [], "usage": {"prompt_tokens": 9, "total_tokens": 9}}, Tokens(9, 0)),
        (Speech.ANTHROPIC, {"content": [], "usage": ANTHROPIC}, Tokens(100, 7, 60, 0, 30)),
        (Speech.GEMINI, {"candidates": [{"finishReason": "STOP"}], "usageMetadata": GEMINI}, Tokens(100, 42, 50, 12)),
        (
            Speech.RESPONSES,
            {
                "output": [],
                "usage": {"input_tokens": 5, "output_tokens": 6, "output_tokens_details": {"reasoning_tokens": 2}},
            },
            Tokens(5, 6, 0, 2),
        ),
    ],
)
def test_whole_answers(speech: Speech, answer: dict[str, Any], tokens: Tokens) -> None:
    statement = Statement(speech)
    statement.add(answer)
    assert statement.tokens(1) == (tokens, True)


@pytest.mark.parametrize("speech", list(Speech))
@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        None,
        "text",
        {"usage": None},
        {"usage": "many"},
        {"usage": {"prompt_tokens": "5", "input_tokens": -3, "completion_tokens": True}},
        {"usageMetadata": {"promptTokenCount": 10**30}},
        {"choices": {"a": 1}, "candidates": "x", "content": 5, "output": 7},
        {"choices": [None, 3, {"delta": "x"}, {"message": {"tool_calls": [None]}}], "candidates": [None, {}]},
        {"type": "message_start", "message": "x"},
        {"type": 5, "response": []},
    ],
)
def test_odd_answers_do_no_harm(speech: Speech, answer: Any) -> None:
    statement = Statement(speech)
    statement.add(answer)
    tokens, _ = statement.tokens(40)
    assert tokens.input >= 0 and tokens.output >= 0 and tokens.cached <= max(tokens.input, 0)


def test_a_stream_that_was_cut_keeps_what_was_stated() -> None:
    statement = Statement(Speech.ANTHROPIC)
    statement.add({"type": "message_start", "message": {"usage": {**ANTHROPIC, "output_tokens": 1}}})
    statement.add({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "x" * 40}})
    assert statement.tokens(4) == (Tokens(100, 10, 60, 0, 30), False)
    statement.add({"type": "message_delta", "delta": {}, "usage": {"output_tokens": 12}})
    assert statement.tokens(4) == (Tokens(100, 12, 60, 0, 30), True)


def test_an_hour_in_the_cache_and_errors_in_mid_stream() -> None:
    statement = Statement(Speech.ANTHROPIC)
    hour = {"cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20}}
    statement.add({"content": [], "usage": {**ANTHROPIC, **hour}})
    assert statement.tokens(0) == (Tokens(100, 7, 60, 0, 30, 20), True) and not statement.failed
    statement.add({"type": "error", "error": {"type": "overloaded_error"}})
    assert statement.failed


def events(line_end: str) -> bytes:
    chunks: list[Any] = [{"choices": [{"delta": {"content": f"pièce {number}"}}], "usage": None} for number in range(4)]
    chunks.append({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 13}})
    texts = [": a comment", *(f"data: {json.dumps(chunk, ensure_ascii=False)}" for chunk in chunks), "data: [DONE]"]
    return "".join(text + 2 * line_end for text in texts).encode()


@given(st.data(), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_streams_cut_anywhere(data: st.DataObject, line_end: str, strip: bool) -> None:
    whole = events(line_end)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    statement = Statement(Speech.CHAT)
    stream = Stream(statement, strip)
    passed = b"".join(stream.feed(whole[start:end]) for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True))
    passed += stream.end()
    assert statement.tokens(0) == (Tokens(11, 13), True) and statement.characters == 4 * len("pièce 0")
    if strip:
        kept = [event for event in whole.decode().split(2 * line_end) if "prompt_tokens" not in event]
        assert passed.decode() == (2 * line_end).join(kept)
    else:
        assert passed == whole


def test_a_last_event_without_its_end_is_read() -> None:
    statement = Statement(Speech.CHAT)
    stream = Stream(statement, strip_usage=True)
    assert stream.feed(b'data: {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}}') == b""
    assert stream.end() == b"" and statement.tokens(0) == (Tokens(1, 2), True)


def test_an_endless_event_is_passed_on_unread() -> None:
    stream = Stream(Statement(Speech.CHAT), strip_usage=True)
    piece = b"data: " + b"x" * 1024**2
    passed = b"".join(stream.feed(piece) for _ in range(20)) + stream.end()
    assert passed == piece * 20


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["text", "content", "parts", "role", "tools", "function", "name", "functionDeclarations", "type"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(list(Speech)), JSON)
def test_odd_requests_can_be_read(speech: Speech, value: Any) -> None:
    keys = ("messages", "input", "instructions", "system", "contents", "prompt", "tools", "functions", "requests")
    body = dict.fromkeys(keys, value)
    assert all(isinstance(text, str) for text in request_texts(speech, body))
    assert all(isinstance(name, str) for name in request_tools(speech, body))
