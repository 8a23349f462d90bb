"""The command line as a user meets it: one sentence on errors, the right exit code, no traceback, quick help."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import mlebench
from mlebench.content import content_dir
from mlebench.data.paths import DataDir
from mlebench.data.prepare import prepare_competition
from mlebench.data.sources import SourceRequest
from mlebench.registry import Registry

HEAVY = ("pandas", "numpy", "sklearn", "scipy", "docker", "kaggle", "PIL", "requests")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mlebench", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **environment},
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    for name in ("practice-diabetes", "practice-breast-cancer", "spaceship-titanic"):
        source = "bundled" if name.startswith("practice") else "synthetic"
        prepare_competition(Registry().get(name), DataDir(root), SourceRequest(source))
    return root


def sample(data: Path, competition: str) -> Path:
    return data / competition / "prepared" / "public" / "sample_submission.csv"


@pytest.mark.parametrize(
    "arguments", [["--help"], ["list"], ["list", "--json"], ["prepare", "--help"], ["grade", "--help"]]
)
def test_light_commands_import_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; sys.argv = ['mlebench', *sys.argv[1:]]\n"
        "from mlebench.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('HEAVY', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)
    assert "HEAVY []" in done.stdout, done.stdout[-500:] + done.stderr


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["info", "spaceship-titanicc"], "Did you mean spaceship-titanic"),
        (["prepare"], "Say what to prepare"),
        (["prepare", "spaceship-titanic"], "--source"),
        (["prepare", "spaceship-titanic", "--source", "/no/such/place"], "neither a file nor a folder"),
        (["prepare", "--split", "tiny"], "no split"),
        (["prepare", "spaceship-titanic", "--source", "synthetic", "--edition", "v2"], "no edition v2"),
        (["grade", "/no/such/file.csv", "-c", "practice-digits"], "mlebench prepare practice-digits"),
        (["list", "--competitions-dir", "/no/such/folder"], "does not exist"),
        (["verify"], "Nothing is prepared"),
        (["grade", "/no/such/list.jsonl"], "cannot be read"),
    ],
)
def test_mistakes_give_one_sentence_and_exit_2(arguments: list[str], word: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    assert word in done.stderr.replace("\n", " ")
    assert "Traceback" not in done.stderr + done.stdout


def test_grade_infers_the_competition_and_shows_the_medal(data: Path) -> None:
    done = run("grade", str(data / "practice-diabetes/prepared/private/test.csv"), "--data-dir", str(data))
    assert done.returncode == 0, done.stderr
    assert "practice-diabetes (inferred" in done.stdout and "gold medal" in done.stdout


def test_grade_json_has_the_published_keys(data: Path) -> None:
    done = run("grade", str(sample(data, "practice-diabetes")), "--data-dir", str(data), "--json")
    report = json.loads(done.stdout)
    for key in (
        "competition_id", "score", "gold_threshold", "silver_threshold", "bronze_threshold", "median_threshold",
        "any_medal", "gold_medal", "silver_medal", "bronze_medal", "above_median", "submission_exists",
        "valid_submission", "is_lower_better", "created_at", "submission_path",
    ):  # fmt: skip
        assert key in report
    assert report["data_source"] == "bundled" and report["outcome"] == "graded"


def test_synthetic_data_is_said_to_be_synthetic(data: Path) -> None:
    done = run("grade", str(sample(data, "spaceship-titanic")), "--data-dir", str(data))
    assert done.returncode == 0 and "synthetic: medals and ranks mean nothing" in done.stdout


def test_ambiguous_submission_lists_the_candidates(data: Path, tmp_path: Path) -> None:
    stranger = tmp_path / "s.csv"
    stranger.write_text("a,b\n1,2\n")
    done = run("grade", str(stranger), "--data-dir", str(data))
    assert done.returncode == 2 and "fits none of the 3 competitions" in done.stderr.replace("\n", " ")


def test_invalid_submission_exits_2_with_a_reason(data: Path, tmp_path: Path) -> None:
    broken = tmp_path / "submission.csv"
    broken.write_text(sample(data, "practice-diabetes").read_text().replace("\n", "\n\n", 1) + "9999,1.0\n")
    for verb in ("grade", "validate"):
        done = run(verb, str(broken), "-c", "practice-diabetes", "--data-dir", str(data))
        assert done.returncode == 2 and "rows" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr


def test_list_of_submissions_is_graded_whatever_is_in_it(data: Path, tmp_path: Path) -> None:
    lines = [
        {"competition_id": "practice-diabetes", "submission_path": str(sample(data, "practice-diabetes"))},
        {"competition_id": "spaceship-titanic", "submission_path": str(sample(data, "practice-diabetes"))},
        {"competition_id": "practice-breast-cancer", "submission_path": None},
    ]
    listing = tmp_path / "submissions.jsonl"
    listing.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run("grade", str(listing), "--data-dir", str(data), "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["total_runs"] == 3
    assert report["total_runs_with_submissions"] == 2
    assert report["total_valid_submissions"] == 1
    assert [r["outcome"] for r in report["competition_reports"]] == ["graded", "invalid", "no_submission"]


def test_user_competitions_are_found_beside_the_built_in_ones(tmp_path: Path) -> None:
    assert run("competitions", "new", "mine", "--dir", str(tmp_path / "own")).returncode == 0
    done = run("prepare", "mine", "--source", "synthetic", MLEBENCH_COMPETITIONS_DIR=str(tmp_path / "own"))
    assert done.returncode == 0, done.stderr
    toml = tmp_path / "own" / "mine" / "competition.toml"
    toml.write_text(toml.read_text().replace('type = "number"', 'type = "nmber"'))
    done = run("info", "mine", "--competitions-dir", str(tmp_path / "own"))
    assert done.returncode == 2
    assert "competition.toml, key submission.columns.0.type" in done.stderr.replace("\n", "")


def test_what_new_prints_is_the_next_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(mlebench.__file__).parents[1]))  # a checkout that is not installed
    deep = "a folder with a name that is longer than a line of a terminal would be and has spaces"
    for where in ([], ["--dir", deep]):
        made = run("competitions", "new", "my-task", *where)
        assert made.returncode == 0, made.stderr
        program, *words = shlex.split(made.stdout.splitlines()[-1].removeprefix("Next: "))
        assert program == "mlebench" and words[:3] == ["competitions", "check", "my-task"]
        done = run(*words)
        assert done.returncode == 0 and "failed" not in done.stdout, done.stdout + done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["my-competitions", deep])
    lost = run("competitions", "check", "my-task")
    assert lost.returncode == 2 and "--competitions-dir" in lost.stderr


def test_new_does_not_write_among_the_built_in_competitions(tmp_path: Path) -> None:
    built_in = content_dir("competitions")
    (tmp_path / "link").symlink_to(built_in)
    for folder in (built_in, built_in / "_template", tmp_path / "link"):
        done = run("competitions", "new", "stray", "--dir", str(folder))
        assert done.returncode == 2 and "ship with mlebench" in done.stderr, done.stderr
    assert not list(built_in.rglob("stray"))


def test_output_into_a_closed_pipe_is_no_traceback() -> None:
    done = subprocess.run(
        f"{sys.executable} -m mlebench list --json | head -c 1", shell=True, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr
