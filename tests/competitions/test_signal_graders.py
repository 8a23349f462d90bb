"""Graders of competitions on signals, sounds and molecules against the published procedures, spelled out plainly."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from mlebench.errors import InvalidSubmissionError, Reason

CHAMPS, ICECUBE, NFL = "champs-scalar-coupling", "icecube-neutrinos-in-deep-ice", "nfl-player-contact-detection"
PHONES, EEG, RNA = "smartphone-decimeter-2022", "hms-harmful-brain-activity-classification", "stanford-covid-vaccine"
VENTILATOR, VOLCANO = "ventilator-pressure-prediction", "predict-volcanic-eruptions-ingv-oe"
LUNGS, TAGS = "osic-pulmonary-fibrosis-progression", "freesound-audio-tagging-2019"
WORDS, WHALES = "tensorflow-speech-recognition-challenge", "the-icml-2013-whale-challenge-right-whale-redux"
GESTURES = "multi-modal-gesture-recognition"
VOTES = ["seizure_vote", "lpd_vote", "gpd_vote", "lrda_vote", "grda_vote", "other_vote"]
SEEDS = range(3)


@pytest.fixture
def scored(made, tmp_path: Path) -> Callable[[str, pd.DataFrame], float]:
    return lambda name, table: made(name).score(table, tmp_path)


@pytest.fixture
def answers(made) -> Callable[..., pd.DataFrame]:
    def read(name: str, **options: object) -> pd.DataFrame:
        it = made(name)
        return pd.read_csv(it.paths.private / it.competition.facts.answers.file, **options)

    return read


def refused(scored, name: str, table: pd.DataFrame) -> Reason:
    with pytest.raises(InvalidSubmissionError) as caught:
        scored(name, table)
    return caught.value.reason


class TestMolecules:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_random_submissions_with_repeated_ids(self, scored, answers, seed: int) -> None:
        rng, truth = np.random.default_rng(seed), answers(CHAMPS)
        table = truth[["id"]].assign(scalar_coupling_constant=rng.normal(0, 30, len(truth)))
        table = pd.concat([table, table.sample(frac=0.3, random_state=seed).assign(scalar_coupling_constant=1.5)])
        table = table.sample(frac=1, random_state=seed)
        merged = truth.merge(table, on="id", suffixes=("_true", "_pred"))
        parts = []
        for _, own in merged.groupby("type"):
            error = metrics.mean_absolute_error(
                own["scalar_coupling_constant_true"], own["scalar_coupling_constant_pred"]
            )
            parts.append(math.log(error))
        assert scored(CHAMPS, table) == pytest.approx(np.mean(parts), rel=1e-12)

    def test_one_perfect_type_counts_as_the_floor(self, scored, answers) -> None:
        truth = answers(CHAMPS)
        table = truth[["id", "scalar_coupling_constant"]].copy()
        table.loc[truth["type"] != "1JHC", "scalar_coupling_constant"] += math.e
        wanted = (math.log(1e-9) + truth["type"].nunique() - 1) / truth["type"].nunique()
        assert scored(CHAMPS, table) == pytest.approx(wanted)


class TestVolcano:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_random_submissions_with_repeated_ids(self, scored, answers, seed: int) -> None:
        rng, truth = np.random.default_rng(seed), answers(VOLCANO)
        table = truth[["segment_id"]].assign(time_to_eruption=rng.uniform(0, 5e7, len(truth)))
        table = pd.concat([table, table.head(2).assign(time_to_eruption=-3.25)]).sample(frac=1, random_state=seed)
        merged = truth.merge(table, on="segment_id")
        wanted = round(metrics.mean_absolute_error(merged["time_to_eruption_x"], merged["time_to_eruption_y"]))
        assert scored(VOLCANO, table) == wanted

    @pytest.mark.parametrize(("error", "wanted"), [(0.5, 0), (1.5, 2), (2.5, 2), (0.49, 0)])
    def test_halves_go_to_the_even_number(self, scored, answers, error: float, wanted: int) -> None:
        truth = answers(VOLCANO)
        assert scored(VOLCANO, truth.assign(time_to_eruption=truth["time_to_eruption"] + error)) == wanted


class TestIceCube:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_random_submissions(self, scored, answers, seed: int) -> None:
        rng, truth = np.random.default_rng(seed), answers(ICECUBE)
        table = truth.assign(azimuth=rng.uniform(-9, 9, len(truth)), zenith=rng.uniform(-5, 5, len(truth)))
        errors = []
        for true, guess in zip(truth.itertuples(), table.itertuples(), strict=True):
            flat = math.cos(true.azimuth) * math.cos(guess.azimuth) + math.sin(true.azimuth) * math.sin(guess.azimuth)
            cosine = math.sin(true.zenith) * math.sin(guess.zenith) * flat
            cosine += math.cos(true.zenith) * math.cos(guess.zenith)
            errors.append(abs(math.acos(min(1.0, max(-1.0, cosine)))))
        table = table.sample(frac=1, random_state=seed)[["zenith", "event_id", "azimuth"]]
        assert scored(ICECUBE, table) == pytest.approx(np.mean(errors), rel=1e-12)

    def test_an_index_column_is_refused(self, scored, answers) -> None:
        assert refused(scored, ICECUBE, answers(ICECUBE).reset_index()) is Reason.EXTRA_COLUMNS


class TestContacts:
    @pytest.mark.parametrize("labels", [[0, 1], [False, True], [0, 1, 2], [1]])
    def test_random_submissions(self, scored, answers, labels: list) -> None:
        rng, truth = np.random.default_rng(0), answers(NFL)
        guess = np.where(rng.random(len(truth)) < 0.8, truth["contact"], rng.choice(labels, len(truth)))
        if labels == [False, True]:
            guess = guess.astype(bool)
        table = truth[["contact_id"]].assign(contact=guess).sample(frac=1, random_state=0)
        wanted = metrics.matthews_corrcoef(truth["contact"], guess)
        assert scored(NFL, table) == pytest.approx(wanted, abs=1e-12)

    def test_a_constant_scores_nothing(self, scored, answers) -> None:
        assert scored(NFL, answers(NFL)[["contact_id"]].assign(contact=1)) == 0


class TestPhones:
    @staticmethod
    def published(submission: pd.DataFrame, truth: pd.DataFrame) -> float:
        trips = []
        for trip in truth["tripId"].unique():
            one, two = (side[side["tripId"] == trip] for side in (truth, submission))
            errors = []
            for a, b in zip(one.itertuples(), two.itertuples(), strict=True):
                lat1, lon1, lat2, lon2 = map(
                    math.radians, (a.LatitudeDegrees, a.LongitudeDegrees, b.LatitudeDegrees, b.LongitudeDegrees)
                )
                half = math.sin((lat2 - lat1) / 2) ** 2
                half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
                errors.append(2 * 6_371_000 * math.asin(math.sqrt(half)))
            trips.append((np.quantile(errors, 0.50) + np.quantile(errors, 0.95)) / 2)
        return float(np.mean(trips))

    @pytest.mark.parametrize("seed", SEEDS)
    def test_rows_of_a_trip_are_compared_as_they_stand(self, scored, answers, seed: int) -> None:
        rng, truth = np.random.default_rng(seed), answers(PHONES)
        table = truth.copy()
        table[["LatitudeDegrees", "LongitudeDegrees"]] += rng.normal(0, 1e-3, (len(truth), 2))
        table["UnixTimeMillis"] = "any"
        table = table.sample(frac=1, random_state=seed)
        assert scored(PHONES, table) == pytest.approx(self.published(table, truth), rel=1e-9)

    def test_counts_of_trips_must_agree(self, scored, answers) -> None:
        truth = answers(PHONES).copy()
        truth.loc[0, "tripId"] = truth["tripId"].iloc[-1]
        assert refused(scored, PHONES, truth) in (Reason.MISSING_IDS, Reason.UNKNOWN_IDS, Reason.DUPLICATE_IDS)


class TestEeg:
    @staticmethod
    def published(submission: pd.DataFrame, truth: pd.DataFrame) -> float:
        rows = []
        for true, guess in zip(truth[VOTES].to_numpy(float), submission[VOTES].to_numpy(), strict=True):
            shares = true / true.sum()
            terms = [
                y * math.log(y / min(max(p, 1e-15), 1 - 1e-15))
                for y, p in zip(shares.tolist(), guess.tolist(), strict=True)
                if y != 0 and not math.isnan(p)
            ]
            rows.append(sum(terms))
        return float(np.average(rows))

    @pytest.mark.parametrize("seed", SEEDS)
    def test_rows_in_the_order_of_the_sample(self, scored, answers, seed: int) -> None:
        rng, truth = np.random.default_rng(seed), answers(EEG)
        guess = pd.DataFrame(rng.dirichlet(np.ones(6) * 0.3, len(truth)), columns=VOTES)
        table = pd.concat([truth["eeg_id"], guess], axis=1)
        assert scored(EEG, table) == pytest.approx(self.published(table, truth), rel=1e-9)

    def test_empty_cells_drop_out(self, scored, answers) -> None:
        truth = answers(EEG)
        table = truth[["eeg_id"]].assign(**dict.fromkeys(VOTES[:-1], np.nan), other_vote=1.0)
        assert self.published(table, truth) <= 0
        assert scored(EEG, table) == pytest.approx(self.published(table, truth), abs=1e-12)

    def test_sums(self, scored, answers) -> None:
        truth = answers(EEG)
        table = truth[["eeg_id"]].assign(**dict.fromkeys(VOTES, 1 / 6))
        assert scored(EEG, table.assign(seizure_vote=1 / 6 + 4e-6)) > 0
        assert refused(scored, EEG, table.assign(seizure_vote=1 / 6 + 6e-6)) is Reason.ROW_SUM
        assert refused(scored, EEG, table.assign(**dict.fromkeys(VOTES, np.nan))) is Reason.ROW_SUM


class TestRna:
    TARGETS = ("reactivity", "deg_Mg_pH10", "deg_Mg_50C")

    def published(self, submission: pd.DataFrame, truth: pd.DataFrame) -> float:
        ours, theirs = (side.reset_index(drop=True).sort_values("id_seqpos") for side in (truth, submission))
        keep = ours["keep"]
        kept = theirs[keep.reindex(theirs.index)]
        ours = ours[keep]
        squares = [((ours[name].to_numpy() - kept[name].to_numpy()) ** 2).mean() for name in self.TARGETS]
        return float(np.mean(np.sqrt(squares)))

    @pytest.mark.parametrize("shuffled", [False, True])
    def test_scored_rows_are_found_by_their_number_in_the_file(self, scored, answers, shuffled: bool) -> None:
        rng, truth = np.random.default_rng(0), answers(RNA)
        table = truth.drop(columns="keep")
        table[list(self.TARGETS)] += rng.normal(0, 0.3, (len(truth), 3))
        table = table.sample(frac=1, random_state=0) if shuffled else table
        assert scored(RNA, table) == pytest.approx(self.published(table, truth), rel=1e-12)

    def test_a_shuffled_perfect_submission_scores_badly(self, scored, answers) -> None:
        truth = answers(RNA)
        assert scored(RNA, truth) == 0
        assert scored(RNA, truth.sample(frac=1, random_state=0)) > 0.1

    def test_cells_that_do_not_count_may_be_anything(self, scored, answers) -> None:
        truth = answers(RNA)
        table = truth.assign(deg_pH10="?", deg_50C=np.nan)
        table.loc[~truth["keep"], "reactivity"] = np.nan
        table.loc[~truth["keep"], "deg_Mg_50C"] = np.inf
        assert scored(RNA, table) == 0
        table.loc[truth["keep"], "reactivity"] = np.nan
        assert refused(scored, RNA, table) is Reason.MISSING_VALUES

    def test_repeated_ids_are_refused(self, scored, answers) -> None:
        table = answers(RNA)
        table.loc[1, "id_seqpos"] = table.loc[0, "id_seqpos"]
        assert refused(scored, RNA, table) in (Reason.DUPLICATE_IDS, Reason.MISSING_IDS)


class TestVentilator:
    @pytest.mark.parametrize("seed", SEEDS)
    def test_random_submissions(self, scored, answers, seed: int) -> None:
        rng, truth = np.random.default_rng(seed), answers(VENTILATOR)
        table = truth[["id"]].assign(pressure=rng.uniform(0, 40, len(truth)))
        scores = truth["u_out"] == 0
        wanted = metrics.mean_absolute_error(truth["pressure"][scores], table["pressure"][scores])
        table.loc[~scores, "pressure"] = np.nan
        assert scored(VENTILATOR, table.sample(frac=1, random_state=seed)) == pytest.approx(wanted, rel=1e-12)

    def test_scored_rows_need_a_number(self, scored, answers) -> None:
        truth = answers(VENTILATOR)
        assert scored(VENTILATOR, truth.assign(pressure=truth["pressure"].mask(truth["u_out"] == 1, np.inf))) == 0
        infinite = truth.assign(pressure=truth["pressure"].mask(truth["u_out"] == 0, np.inf))
        assert refused(scored, VENTILATOR, infinite) is Reason.UNDEFINED_SCORE
        truth.loc[truth["u_out"] == 0, "pressure"] = np.nan
        assert refused(scored, VENTILATOR, truth) is Reason.MISSING_VALUES


class TestLungs:
    @staticmethod
    def published(submission: pd.DataFrame, truth: pd.DataFrame) -> float:
        visits = truth.dropna(subset="FVC").copy()
        visits["week"] = [int(name.split("_")[-1]) for name in visits["Patient_Week"]]
        visits = visits.sort_values("week").groupby("Patient").tail(3)
        kept = submission[submission["Patient_Week"].isin(visits["Patient_Week"])].sort_values("Patient_Week")
        visits = visits[visits["Patient_Week"].isin(kept["Patient_Week"])].sort_values("Patient_Week")
        sigma = np.maximum(kept["Confidence"].fillna(0).to_numpy(), 70)
        delta = np.minimum(np.abs(visits["FVC"].to_numpy() - kept["FVC"].to_numpy()), 1000)
        return float(np.mean(-math.sqrt(2) * delta / sigma - np.log(math.sqrt(2) * sigma)))

    @pytest.mark.parametrize("share", [1.0, 0.6])
    @pytest.mark.parametrize("seed", SEEDS)
    def test_what_is_there_is_scored(self, scored, answers, share: float, seed: int) -> None:
        rng, truth = np.random.default_rng(seed), answers(LUNGS)
        table = truth[["Patient_Week"]].assign(
            FVC=rng.normal(3000, 1200, len(truth)), Confidence=rng.uniform(0, 400, len(truth))
        )
        table.loc[rng.random(len(truth)) < 0.2, "Confidence"] = np.nan
        table = table.sample(frac=share, random_state=seed)
        assert scored(LUNGS, table) == pytest.approx(self.published(table, truth), rel=1e-12)

    def test_guesses_of_one_visit_are_averaged(self, scored, answers) -> None:
        truth = answers(LUNGS)
        last = truth.dropna(subset="FVC").iloc[[-1, -1, -1]]
        table = last[["Patient_Week"]].assign(FVC=[1000.0, 2000.0, 3000.0], Confidence=100.0)
        assert scored(LUNGS, table) == pytest.approx(self.published(table, truth), rel=1e-12)

    def test_what_has_no_score(self, scored, answers) -> None:
        truth = answers(LUNGS)
        table = truth[["Patient_Week"]].assign(FVC=2000.0, Confidence=100.0)
        unscored = truth["FVC"].isna()
        assert refused(scored, LUNGS, table[unscored]) is Reason.UNDEFINED_SCORE
        twice = pd.concat([table, table])
        assert refused(scored, LUNGS, twice) is Reason.DUPLICATE_IDS
        assert scored(LUNGS, pd.concat([table, table[unscored]])) == scored(LUNGS, table)
        assert refused(scored, LUNGS, table.assign(FVC=np.nan)) is Reason.MISSING_VALUES
        assert scored(LUNGS, table.assign(FVC=table["FVC"].mask(unscored))) == scored(LUNGS, table)


class TestTags:
    @pytest.mark.parametrize("levels", [3, 1000])
    def test_random_submissions(self, scored, answers, levels: int) -> None:
        rng, truth = np.random.default_rng(0), answers(TAGS)
        classes = truth.columns[1:]
        scores = rng.integers(0, levels, (len(truth), len(classes))) - levels / 2
        weight = truth[classes].to_numpy().sum(axis=1)
        some = weight > 0
        wanted = metrics.label_ranking_average_precision_score(
            truth[classes].to_numpy()[some] > 0, scores[some], sample_weight=weight[some]
        )
        table = pd.concat([truth["fname"], pd.DataFrame(scores, columns=classes)], axis=1)
        assert scored(TAGS, table.sample(frac=1, random_state=0)) == pytest.approx(wanted, rel=1e-12)

    def test_columns_keep_their_order(self, scored, answers) -> None:
        truth = answers(TAGS)
        first, second, third, *rest = truth.columns
        assert refused(scored, TAGS, truth[[first, third, second, *rest]]) is Reason.COLUMN_ORDER
        assert refused(scored, TAGS, truth[[second, first, third, *rest]]) is Reason.COLUMN_ORDER


def test_spoken_words(scored, answers) -> None:
    rng, truth = np.random.default_rng(0), answers(WORDS)
    guess = np.where(rng.random(len(truth)) < 0.5, truth["label"], "unknown")
    table = truth.assign(label=guess).sample(frac=1, random_state=0)
    assert scored(WORDS, table) == pytest.approx(metrics.accuracy_score(truth["label"], guess), rel=1e-12)


def test_whales(scored, answers) -> None:
    rng, truth = np.random.default_rng(0), answers(WHALES)
    table = truth.assign(probability=rng.integers(0, 9, len(truth)) / 8)
    wanted = metrics.roc_auc_score(truth["probability"], table["probability"])
    assert scored(WHALES, table.sample(frac=1, random_state=0)) == pytest.approx(wanted, rel=1e-12)


class TestGestures:
    @staticmethod
    def distance(one: list[int], two: list[int]) -> int:
        row = list(range(len(two) + 1))
        for i, a in enumerate(one, start=1):
            row, before = [i], row
            for j, b in enumerate(two, start=1):
                row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b)))
        return row[-1]

    @pytest.mark.parametrize("seed", SEEDS)
    def test_random_submissions(self, scored, answers, seed: int) -> None:
        rng, truth = np.random.default_rng(seed), answers(GESTURES)
        guess = [rng.integers(1, 24, rng.integers(1, 9)).tolist() for _ in range(len(truth))]
        lists = [[int(word) for word in text.split()] for text in truth["Sequence"]]
        wanted = sum(map(self.distance, lists, guess)) / sum(map(len, lists))
        table = truth[["Id"]].assign(Sequence=["  ".join(f"{g:02d}" for g in one) + " " for one in guess])
        assert table["Id"].dtype == np.int64  # leading zeros are lost
        assert scored(GESTURES, table.sample(frac=1, random_state=seed)) == pytest.approx(wanted, rel=1e-12)

    def test_a_blank_is_an_empty_list(self, scored, answers) -> None:
        table = answers(GESTURES, dtype=str)
        total = table["Sequence"].str.split().map(len)
        table.loc[0, "Sequence"] = " "
        assert scored(GESTURES, table) == pytest.approx(total[0] / total.sum(), rel=1e-12)
        table.loc[0, "Sequence"] = ""
        assert refused(scored, GESTURES, table) is Reason.MISSING_VALUES

    def test_the_same_number_twice_is_refused(self, scored, answers) -> None:
        table = answers(GESTURES, dtype=str)
        table.loc[0, "Id"] = str(int(table["Id"].iloc[-1]))
        assert refused(scored, GESTURES, table) is Reason.DUPLICATE_IDS
