"""AIDE's driver without AIDE: the best node's files, reviews, the task's text, the preview's bounds."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from agentkit.chat import Answer, ChatModel, ModelFailure
from agentkit.contract import Clock, OptionError, Surroundings
from aide_driver.best import Keeper
from aide_driver.model import REVIEW_TRIES, UNREADABLE_REVIEWS, Backend, read_review
from aide_driver.preview import LONGEST, data_preview
from aide_driver.settings import Settings
from aide_driver.task_text import SUBMISSION, task_text

from mlebench.content import content_dir
from mlebench.sandbox.control import render_instructions
from mlebench.sandbox.layout import CONTAINER
from mlebench.scripted.thread import serve_in_thread

REVIEW = {"is_bug": False, "summary": "fine", "metric": 0.9, "lower_is_better": False}
SPEC = SimpleNamespace(
    name="submit_review",
    json_schema={"properties": {"is_bug": {"type": "boolean", "description": "whether it failed"}}},
    as_openai_tool_dict={"type": "function", "function": {"name": "submit_review", "parameters": {"type": "object"}}},
    openai_tool_choice_dict={"type": "function", "function": {"name": "submit_review"}},
)


@pytest.fixture
def around(tmp_path: Path) -> Surroundings:
    for name in ("submission", "code", "logs", "data"):
        (tmp_path / name).mkdir()
    environment = {f"{name.upper()}_DIR": str(tmp_path / name) for name in ("submission", "code", "logs", "data")}
    return Surroundings.read({**environment, "MODEL": "openai/o3"})


class Node:
    """A step whose script wrote a file."""

    def __init__(self, step: int, folder: Path) -> None:
        self.step, self.code, self.file = step, f"# script {step}\n", folder / "working.csv"
        self.file.write_text(f"submission of {step}\n")


def handed_in(around: Surroundings) -> tuple[str, str]:
    return around.submission.read_text().strip(), (around.code / "solution.py").read_text().strip()


def give(keeper: Keeper, around: Surroundings, step: int, value: float | None, maximize: bool = True) -> bool:
    node = Node(step, around.data)
    keeper.poor(step, node.code, node.file)
    return value is not None and keeper.good(step, node.code, node.file, value, maximize)


def test_what_is_handed_in_belongs_to_the_best_node(around: Surroundings, tmp_path: Path) -> None:
    keeper = Keeper(around, tmp_path / "kept")
    assert [give(keeper, around, step, value) for step, value in enumerate([0.7, 0.9, 0.8, 0.9])] == [
        True,
        True,
        False,
        False,
    ]
    assert handed_in(around) == ("submission of 1", "# script 1")
    assert keeper.best is not None and keeper.best.value == 0.9
    assert len(os.listdir(tmp_path / "kept")) <= 2


def test_a_poor_script_counts_only_while_there_is_nothing_better(around: Surroundings, tmp_path: Path) -> None:
    keeper = Keeper(around, tmp_path / "kept")
    give(keeper, around, 0, None)
    give(keeper, around, 1, None)
    assert handed_in(around) == ("submission of 1", "# script 1") and keeper.provisional and keeper.best is None
    assert give(keeper, around, 2, 0.1)
    give(keeper, around, 3, None)
    assert handed_in(around) == ("submission of 2", "# script 2") and not keeper.provisional


def test_one_review_with_the_wrong_direction_does_not_turn_the_search(around: Surroundings, tmp_path: Path) -> None:
    keeper = Keeper(around, tmp_path / "kept")
    give(keeper, around, 0, 0.30, maximize=True)  # wrong: it is a loss
    give(keeper, around, 1, 0.20, maximize=False)
    give(keeper, around, 2, 0.25, maximize=False)
    assert not keeper.maximize and handed_in(around) == ("submission of 1", "# script 1")


def test_a_submission_that_cannot_be_copied_leaves_the_one_before(around: Surroundings, tmp_path: Path) -> None:
    keeper = Keeper(around, tmp_path / "kept")
    give(keeper, around, 0, 0.5)
    gone = tmp_path / "gone.csv"
    keeper.good(1, "# script 1\n", gone, 0.9, True)
    assert handed_in(around) == ("submission of 0", "# script 0")


@pytest.mark.parametrize(
    ("said", "metric"),
    [("1", 1.0), ('"0.25"', 0.25), ("null", None), ("NaN", None), ("Infinity", None), ("true", None), ('"good"', None)],
)
def test_metrics_are_floats_or_nothing(said: str, metric: float | None) -> None:
    arguments = f'{{"is_bug": false, "summary": "s", "metric": {said}, "lower_is_better": false}}'
    review = read_review(Answer("", ("submit_review", arguments), 1, 1, None, 0.0))
    assert review is not None and review["metric"] == metric
    assert metric is None or isinstance(review["metric"], float)


def test_reviews_are_found_in_text_too() -> None:
    text = 'Here it is {not this}: ```json\n{"is_bug": "yes", "metric": 0.5}\n``` done'
    review = read_review(Answer(text, None, 1, 1, None, 0.0))
    assert review == {"is_bug": True, "summary": "", "metric": 0.5, "lower_is_better": False}
    assert read_review(Answer("I cannot say.", None, 1, 1, None, 0.0)) is None
    assert read_review(Answer("", ("submit_review", '{"is_bug": fal'), 1, 1, None, 0.0)) is None


def settings(around: Surroundings) -> Settings:
    return Settings.read(around)


def backend(url: str, around: Surroundings) -> Backend:
    chat = ChatModel(f"{url}/v1", "key", Clock(None), around.logs / "usage.jsonl", patience=1)
    return Backend(chat, settings(around))


def tool(arguments: Any) -> dict[str, Any]:
    return {"tool": {"name": "submit_review", "arguments": arguments}}


def test_malformed_reviews_are_asked_for_again_and_then_the_node_is_buggy(around: Surroundings) -> None:
    around = Surroundings.read({**around.environment, "MODEL": "scripted/demo"})
    replies = [tool('{"is_bug": fal'), tool(REVIEW), *[tool("[]")] * 99]
    with serve_in_thread({"demo": {"rules": [{"replies": replies}]}}) as server:
        reviewer = backend(server.url, around)
        review, _, tokens_in, tokens_out, _ = reviewer.query("prompt", None, SPEC, model="scripted/demo")
        assert review == REVIEW and tokens_in > 0 and tokens_out > 0
        for _ in range(UNREADABLE_REVIEWS - 1):
            unreadable, *_ = reviewer.query("prompt", None, SPEC, model="scripted/demo", temperature=0.5)
            assert isinstance(unreadable, dict) and unreadable["is_bug"] and unreadable["metric"] is None
        with pytest.raises(ModelFailure, match="no readable review"):
            reviewer.query("prompt", None, SPEC, model="scripted/demo")
    assert len(server.ledger.entries) == 2 + REVIEW_TRIES * UNREADABLE_REVIEWS


def test_a_model_without_function_calls_reviews_in_text(around: Surroundings) -> None:
    around = Surroundings.read({**around.environment, "MODEL": "scripted/demo"})
    rules = [
        {"has_tool": "submit_review", "reply": {"status": 400, "error": "tools are not supported"}},
        {"match": "one JSON object", "reply": {"text": '{"is_bug": false, "metric": 2, "lower_is_better": true}'}},
    ]
    with serve_in_thread({"demo": {"rules": rules}}) as server:
        review, *_ = backend(server.url, around).query("prompt", None, SPEC, model="scripted/demo")
    assert review == {"is_bug": False, "summary": "", "metric": 2.0, "lower_is_better": True}


def test_a_provider_that_wants_a_user_gets_one(around: Surroundings) -> None:
    around = Surroundings.read({**around.environment, "MODEL": "scripted/demo"})
    replies = [{"status": 400, "error": "at least one user message is needed"}, {"text": "one"}, {"text": "two"}]
    with serve_in_thread({"demo": {"rules": [{"replies": replies}]}}) as server:
        coder = backend(server.url, around)
        assert [coder.query("p", None, model="scripted/demo")[0] for _ in range(2)] == ["one", "two"]
    assert len(server.ledger.entries) == 3


def test_defaults_of_agent_toml_and_of_the_driver_agree(around: Surroundings) -> None:
    from mlebench.agents.agent import load_agent

    options = {f"OPTION_{name.upper()}": one.default for name, one in load_agent("aide").facts.options.items()}
    assert Settings.read(Surroundings.read({**around.environment, **options})) == settings(around)
    with pytest.raises(OptionError, match="debug_prob"):
        Settings.read(Surroundings.read({**around.environment, "OPTION_DEBUG_PROB": "2"}))


def test_the_task_speaks_of_the_places_that_scripts_use(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "description.md").write_text("Predict. Write /home/submission/submission.csv from /home/data/test.csv.\n")
    environment = {
        **CONTAINER.environment(),
        "VALIDATE_URL": "http://localhost:5000/validate",
        "SAMPLE_SUBMISSION": "/home/data/sample_submission.csv",
        "COMPETITION_ID": "toy",
        "TIME_LIMIT_SECS": "86400",
        "STEP_LIMIT": "500",
        "SEED": "3",
        "HARDWARE": "8 processors, one GPU",
        "MODEL": "a/b",
    }
    sheet = tmp_path / "instructions.txt"
    sheet.write_text(render_instructions(environment))
    around = Surroundings.read({**environment, "INSTRUCTIONS_FILE": str(sheet)})
    text = task_text(around, exec_timeout=32400)
    assert "/home/data" in sheet.read_text() and "/home/code" in sheet.read_text()
    described = task_text(
        Surroundings.read({**environment, "INSTRUCTIONS_FILE": str(sheet), "DATA_DIR": str(data)}), exec_timeout=5
    )
    for place in ("/home/data", "/home/submission", "/home/code", "/home/logs", "/home/agent"):
        assert place not in text, place
    assert "./input/sample_submission.csv" in text and SUBMISSION in text
    assert "8 processors, one GPU" in text and "1 day" in text and "9 hours" in text and "500" in text
    assert f"sh /home/validate_submission.sh {SUBMISSION}" in text and "Use 3 as random seed" in text
    assert "put the code that made" not in text, "an entry goes with its explanation"
    assert f"Write {SUBMISSION} from" in described


def test_preview_is_bounded_in_time_and_length(tmp_path: Path) -> None:
    folder = tmp_path / "input"
    (folder / "images").mkdir(parents=True)
    (folder / "train.csv").write_text("a\n1\n")
    for number in range(9):
        (folder / "images" / f"{number}.png").touch()

    def slow(workspace: Path) -> str:
        time.sleep(60)
        return "never"

    def broken(workspace: Path) -> str:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    def dying(workspace: Path) -> str:
        os._exit(9)

    started = time.monotonic()
    for make in (slow, broken, dying):
        text = data_preview(make, tmp_path, 0.5)
        assert "train.csv (4 bytes)" in text and "images/ (9 entries: 0.png" in text
    assert time.monotonic() - started < 10
    assert data_preview(lambda workspace: "fine", tmp_path, 30) == "fine"
    assert len(data_preview(lambda workspace: "x" * 10**6, tmp_path, 30)) < LONGEST + 100


def test_settings_reach_aides_configuration(around: Surroundings) -> None:
    given = {"OPTION_NUM_DRAFTS": "2", "OPTION_EXEC_TIMEOUT": "60", "STEP_LIMIT": "7", "MODEL_FEEDBACK": "x/y"}
    around = Surroundings.read({**around.environment, **given})
    overrides = settings(around).overrides(around, "/w", "/l")
    assert overrides["agent.search.num_drafts"] == 2 and overrides["exec.timeout"] == 60
    assert (overrides["agent.code.model"], overrides["agent.feedback.model"]) == ("openai/o3", "x/y")
    assert overrides["agent.steps"] == 7 and overrides["generate_report"] is False
    unlimited = Surroundings.read({**around.environment, "STEP_LIMIT": ""})
    assert settings(unlimited).overrides(unlimited, "/w", "/l")["agent.steps"] >= 10**8
    assert math.isfinite(settings(around).exec_timeout)


def test_the_published_folder_is_what_is_tested() -> None:
    import aide_driver

    assert Path(aide_driver.__file__).is_relative_to(content_dir("agents") / "aide")
