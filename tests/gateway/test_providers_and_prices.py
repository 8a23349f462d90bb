"""Providers and prices as data, the check before a run, and the variables that an agent is given."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mlebench.errors import GatewayError, UsageError
from mlebench.gateway.api import Budget, Replay
from mlebench.gateway.check import check_model
from mlebench.gateway.environment import budget_environment, model_environment
from mlebench.gateway.prices import PriceTable, Tokens
from mlebench.gateway.providers import load_providers, split_reference
from mlebench.gateway.wire import Speech

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_builtin_providers_are_complete() -> None:
    providers = load_providers()
    wanted = {"openai", "anthropic", "gemini", "openrouter", "deepseek", "mistral", "together", "groq", "xai", "azure"}
    assert wanted | {"ollama", "vllm", "scripted"} == set(providers.names())
    for name in providers.names():
        provider = providers.get(name)
        assert provider.title and (provider.keys or provider.key == "none")
        for speech in provider.speaks:
            address = provider.address(speech, {"AZURE_OPENAI_ENDPOINT": "https://me.example/"})
            assert address.startswith("http") and not address.endswith("/")
    assert providers.get("azure").style(Speech.CHAT) == "api-key"
    assert providers.get("anthropic").style(Speech.CHAT) == "bearer"


def test_own_file_adds_and_overrides(tmp_path: Path) -> None:
    own = tmp_path / "mine.toml"
    own.write_text(
        '[providers.openai]\nkeys = ["MY_KEY"]\n[providers.lab]\nkey = "none"\n'
        '[providers.lab.speaks]\nopenai-chat = "http://10.0.0.7:8000/v1"\n'
    )
    providers = load_providers(own)
    assert providers.get("openai").secret("openai", {"MY_KEY": " k \n"}) == "k"
    assert Speech.RESPONSES in providers.get("openai").speaks
    assert providers.get("lab").address(Speech.CHAT, {}) == "http://10.0.0.7:8000/v1"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("x = 1", "only"),
        ("[providers.a", "not valid TOML"),
        ("[providers.a]\nkey = 'none'", r"providers\.a\.speaks"),
        ("[providers.a]\nkeyz = 'none'\nspeaks = {openai-chat = 'http://x'}", "no such key"),
        ("[providers.a]\nspeaks = {openai-chat = 'file:///etc/passwd'}", "no http address"),
        ("[providers.a]\nspeaks = {morse = 'http://x'}", "morse"),
        ("[providers.'A b']\nspeaks = {openai-chat = 'http://x'}", "cannot be a provider's name"),
        ("[providers]\na = 3", r"providers\.a"),
    ],
)
def test_bad_provider_files(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "mine.toml").write_text(text)
    with pytest.raises(UsageError, match=complaint):
        load_providers(tmp_path / "mine.toml")


def test_key_files_have_to_be_private(tmp_path: Path) -> None:
    key, own = tmp_path / "key", tmp_path / "mine.toml"
    own.write_text(f"[providers.openai]\nkey_file = '{key}'\n")
    provider = load_providers(own).get("openai")
    with pytest.raises(GatewayError, match="cannot be read"):
        provider.secret("openai", {})
    key.write_text("sk-secret\n")
    key.chmod(0o640)
    with pytest.raises(GatewayError, match="chmod 600") as caught:
        provider.secret("openai", {})
    assert "sk-secret" not in str(caught.value)
    key.chmod(0o600)
    assert provider.secret("openai", {}) == "sk-secret"
    assert provider.secret("openai", {"OPENAI_API_KEY": "from-environment"}) == "from-environment"
    key.write_text("two\nlines")
    with pytest.raises(GatewayError, match="printable") as caught:
        provider.secret("openai", {})
    assert "two" not in str(caught.value)


def test_references() -> None:
    assert split_reference("openrouter/meta/llama-3") == ("openrouter", "meta/llama-3")
    for bad in ("gpt-4", "/x", "openai/", "openai/a b", "openai/a\nb", ""):
        with pytest.raises(UsageError, match="provider/name"):
            split_reference(bad)


def test_checks_before_a_run(tmp_path: Path) -> None:
    key = {"OPENAI_API_KEY": "k", "ANTHROPIC_API_KEY": "k"}
    check_model("openai/gpt-4.1", "openai-responses", environment=key, budget_usd=1.0)
    check_model("anthropic/claude-sonnet-4-5", "openai-chat", environment=key)
    check_model("openai/gpt-4.1", "openai-chat", environment={}, replay=Replay.REPLAY)
    with pytest.raises(UsageError, match=r"no provider .opnai.*openrouter"):
        check_model("opnai/gpt-4.1", "openai-chat")
    with pytest.raises(UsageError, match="does not offer"):
        check_model("openai/gpt-4.1", "anthropic", environment=key)
    with pytest.raises(GatewayError, match="set GEMINI_API_KEY or GOOGLE_API_KEY"):
        check_model("gemini/gemini-2.5-pro", "gemini", environment={})
    with pytest.raises(GatewayError, match="AZURE_OPENAI_ENDPOINT"):
        check_model("azure/mine", "openai-chat", environment={"AZURE_OPENAI_API_KEY": "k"})
    with pytest.raises(UsageError, match="--prices FILE"):
        check_model("openai/no-such-model", "openai-chat", environment=key, budget_usd=1.0)
    check_model("openai/no-such-model", "openai-chat", environment=key)
    prices = tmp_path / "prices.toml"
    prices.write_text('[prices."openai/no-such-model"]\ninput = 1.0\n')
    check_model("openai/no-such-model", "openai-chat", environment=key, budget_usd=1.0, prices=prices)
    with pytest.raises(UsageError, match="no script 'demo'"):
        check_model("scripted/demo", "openai-chat", scripts=tmp_path)
    (tmp_path / "demo.json").write_text('{"rules": [{"reply": {"text": "x"}}]}')
    check_model("scripted/demo", "anthropic", scripts=tmp_path, budget_usd=1.0)


def test_prices(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(
        '[prices."openai/gpt-4o"]\ninput = 10\noutput = 20\ncached = 1\n[prices."vllm/big-*"]\ninput = 4\noutput = 8\n'
    )
    table = PriceTable(load_providers(), own)
    assert table.usd("openai/gpt-4o", Tokens(1000, 100, cached=400), NOW) == pytest.approx((6000 + 400 + 2000) / 1e6)
    assert table.usd("vllm/big-one", Tokens(10, 10), NOW) == pytest.approx(120e-6)
    assert table.usd("vllm/small", Tokens(10, 10), NOW) == 0.0
    assert table.usd("openai/what-is-this", Tokens(10, 10), NOW) is None
    assert "genai-prices" in table.version and "sha256:" in table.version

    plain = PriceTable(load_providers())
    assert plain.usd("openai/gpt-4o", Tokens(1_000_000, 0, cached=1_000_000), NOW) == pytest.approx(1.25)
    assert plain.usd("gemini/gemini-2.5-flash", Tokens(0, 1_000_000, reasoning=5), NOW) == pytest.approx(2.5)
    written = plain.usd("anthropic/claude-sonnet-4-5", Tokens(100_000, 0, cache_write=100_000), NOW)
    assert written == pytest.approx(0.375)
    (tmp_path / "bad.toml").write_text('[prices."a/b"]\ninput = -1\n')
    with pytest.raises(UsageError, match="input"):
        PriceTable(load_providers(), tmp_path / "bad.toml")


def test_variables_of_the_agent() -> None:
    got = model_environment("http://localhost:5001", "k", "a/b", ["feed-back", "report"], {"feed-back": "c/d"})
    assert (got["MODEL"], got["MODEL_FEED_BACK"], got["MODEL_REPORT"]) == ("a/b", "c/d", "a/b")
    assert got["OPENAI_BASE_URL"] == got["OPENAI_API_BASE"] == "http://localhost:5001/v1"
    assert got["ANTHROPIC_BASE_URL"] == "http://localhost:5001/anthropic"
    assert got["GOOGLE_GEMINI_BASE_URL"] == got["GEMINI_BASE_URL"] == "http://localhost:5001/gemini"
    assert {got[f"{owner}_API_KEY"] for owner in ("OPENAI", "ANTHROPIC", "GEMINI", "GOOGLE")} == {"k"}
    limits = budget_environment(Budget(usd=0.1, tokens=10_000_000))
    assert limits == {"COST_LIMIT_USD": "0.1", "TOKEN_LIMIT": "10000000", "CALL_LIMIT": ""}


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, mlebench.gateway.check, mlebench.gateway.environment, mlebench.gateway.prices, mlebench.scripted.thread;"
        "print([name for name in ('aiohttp', 'genai_prices', 'docker') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
