"""Under which conditions was it won: isolation, network, budgets, models, machine, data?

Most of this is the runner's own word. A claim holds here when the record says so and nothing in the bundle speaks
against it; docs/bundles.md says what that is worth.
"""

from __future__ import annotations

from mlebench.bundle.case import Case
from mlebench.bundle.claims import Claim, Claims, Topic, Verdict
from mlebench.bundle.egress import reached, strangers_of
from mlebench.duration import format_duration
from mlebench.running.records import allowed_models
from mlebench.text import plural

_WORD = "as far as the runner's own record goes"
_DOLLAR = 1e-9


def fairness_claims(case: Case) -> list[Claim]:
    """The conditions, one claim each."""
    claims = Claims(Topic.FAIRNESS)
    for make in (_isolation, _answers, _network, _validation, _plan, _budgets, _models, _machine, _data, _sources):
        make(claims, case)
    return claims.made


def isolates(case: Case) -> bool | None:
    """Whether the sandbox that the attempt ran in isolates; None where it is not known."""
    names = {case.run.sandbox}
    if case.environment is not None:
        names.add(case.environment.engine.sandbox)
    if case.story is not None:
        names |= {str(event.get("sandbox")) for event in case.story.named("try")}
    if "process" in names:
        return False
    said = case.environment.engine.isolates if case.environment else None
    return said if said is not None else (True if names == {"docker"} else None)


def _isolation(claims: Claims, case: Case) -> None:
    known = isolates(case)
    engine = case.environment.engine if case.environment else None
    facts = [f"runtime {engine.runtime}" if engine and engine.runtime else ""]
    facts += ["rootless" if engine and engine.rootless else "", *(engine.security if engine else [])]
    detail = f" ({', '.join(filter(None, facts))})" if any(facts) else ""
    why = {
        True: f"It ran in a container{detail}, {_WORD}.",
        False: f"The {case.run.sandbox} sandbox does not isolate: it is for agents that are trusted.",
        None: f"What the {case.run.sandbox} sandbox keeps an agent from is not known.",
    }[known]
    claims.add("isolation", "The agent ran isolated from the machine.", _verdict(known), why)


def _answers(claims: Claims, case: Case) -> None:
    claim = "The answers never entered the sandbox."
    if isolates(case) is not True:
        claims.add("answers", claim, Verdict.UNKNOWN, "Nothing kept the agent from reading them where they lie.")
        return
    why = f"Of the data only the public folder was mounted, {_WORD}"
    claims.add("answers", claim, True, f"{why}; the bundle's files are compared with the answers where these are here.")


def _network(claims: Claims, case: Case) -> None:
    claim = "The agent could not reach the internet."
    network = case.network
    if isolates(case) is not True:
        claims.add("network", claim, False, "The sandbox does not control the network.")
    elif network.mode == "full":
        claims.add("network", claim, False, "It had the engine's full network (--network full); nothing was logged.")
    elif network.mode == "none":
        noted = reached(case)
        clean = noted is None or not noted.lines
        why = f"It had no network but the endpoints of the runner, {_WORD}."
        claims.add(
            "network", claim, clean, why if clean else "The record says none, but there is a log of the network."
        )
    else:
        hosts = ", ".join(network.hosts)
        claim = "The agent reached nothing of the internet but the hosts that the run allows."
        noted = reached(case)
        if noted is None:
            allowed = f"Allowed were {hosts}, but there is no log of what it reached that can be read."
            claims.add("network", claim, Verdict.UNKNOWN, allowed)
            return
        strangers = strangers_of(noted, network.hosts)
        strangers += sorted(f"the pattern {host}" for host in noted.allowed - set(network.hosts))
        told = ", ".join(f"{host} ({count}×)" for host, count in noted.hosts.most_common(8)) or "none of them"
        why = (
            f"The log allows {', '.join(strangers[:5])}, which is not covered by {hosts}."
            if strangers
            else f"Allowed were {hosts}; it reached {told}, and was refused {plural(noted.refused, 'time')}."
        )
        claims.add("network", claim, not strangers, why)


def _validation(claims: Claims, case: Case) -> None:
    claim = "The validation endpoint could not read the answers."
    told = [str(e.get("protection")) for e in case.story.named("validation_endpoint")] if case.story else []
    if not told:
        claims.add("validation", claim, Verdict.UNKNOWN, "The event log does not say how it was confined.")
    elif "none" in told:
        why = "It ran unconfined: only its program, which never opens them, kept it from them."
        claims.add("validation", claim, Verdict.UNKNOWN, why)
    else:
        claims.add("validation", claim, True, f"It was confined ({', '.join(dict.fromkeys(told))}), {_WORD}.")


def _plan(claims: Claims, case: Case) -> None:
    attempt, run, wrong = case.attempt, case.run, []
    if attempt.competition not in run.competitions:
        wrong.append("the competition is not one of the run's")
    if attempt.seed not in run.seeds:
        wrong.append("the seed is not one of the run's")
    if attempt.id != f"{attempt.competition}-s{attempt.seed}":
        wrong.append("its name says another competition or seed")
    environment = case.environment
    if environment is not None:
        limits = environment.limits
        pairs = {
            "network": (environment.network, run.network),
            "time limit": (limits.time_limit_seconds, run.time_limit_seconds),
            "edition": (environment.data.edition, run.edition),
            "competition": (environment.data.competition, attempt.competition),
            "budget in dollars": (limits.usd, run.budget_usd),
            "budget of tokens": (limits.tokens, run.budget_tokens),
            "budget of calls": (limits.calls, run.budget_calls),
            "model": (environment.models.model, run.model),
            "sandbox": (environment.engine.sandbox, run.sandbox),
        }
        wrong += [f"the {name} was {was}, not {asked}" for name, (was, asked) in pairs.items() if was != asked]
    tries = case.story.named("try") if case.story else []
    if any(event.get("network") not in (None, run.network) for event in tries):
        wrong.append("the event log names another network")
    told = f"Competition {attempt.competition}, seed {attempt.seed}, {format_duration(run.time_limit_seconds)}"
    why = f"{'; '.join(wrong[:5])}." if wrong else f"{told}, edition {run.edition}."
    claims.add("plan", "It ran as the run was configured.", not wrong, why[:1].upper() + why[1:])


def _budgets(claims: Claims, case: Case) -> None:
    claim = "The budgets for models were kept."
    run, usage = case.run, case.attempt.usage
    limits = {"usd": run.budget_usd, "tokens": run.budget_tokens, "calls": run.budget_calls}
    if usage is None and run.model is None:
        claims.add("budgets", claim, True, "It had no model.")
        return
    if all(limit is None for limit in limits.values()):
        claims.add("budgets", claim, True, "None was set.")
        return
    if usage is None:
        claims.add("budgets", claim, Verdict.UNKNOWN, "The record has no total of what it used.")
        return
    used = {"usd": usage.usd, "tokens": usage.tokens_in + usage.tokens_out, "calls": usage.calls}
    over, unknown, told = [], [], []
    for name, limit in limits.items():
        if limit is None:
            continue
        spent = used[name]
        if spent is None:
            unknown.append(f"the price of {', '.join(usage.unpriced) or 'a model'} is not known")
            continue
        told.append(f"{_amount(name, spent)} of {_amount(name, limit)}")
        # A call is admitted while something is left, so the ones under way then may go beyond it.
        if spent > limit + _DOLLAR and usage.exhausted is None:
            over.append(f"{_amount(name, spent)} instead of {_amount(name, limit)}")
    if over:
        claims.add("budgets", claim, False, f"It used {', '.join(over)}, and the gateway did not stop it.")
    elif unknown:
        claims.add("budgets", claim, Verdict.UNKNOWN, f"Not all can be summed: {', '.join(unknown)}.")
    else:
        ended = f"; then calls were refused ({usage.exhausted})" if usage.exhausted else ""
        claims.add("budgets", claim, True, f"It used {', '.join(told)}{ended}.")


def _amount(name: str, value: float) -> str:
    return f"${value:.4f}" if name == "usd" else f"{value:,.0f} {name}"


def _models(claims: Claims, case: Case) -> None:
    claim = "It asked only models that the run allows."
    run, usage = case.run, case.attempt.usage
    if usage is None:
        verdict = True if run.model is None else Verdict.UNKNOWN
        claims.add("models", claim, verdict, "It had no model." if run.model is None else "The record has no totals.")
        return
    allowed = allowed_models(run)
    strangers = sorted(usage.models.keys() - set(allowed))
    asked = ", ".join(f"{model} ({count}×)" for model, count in sorted(usage.models.items())) or "none"
    why = f"It asked {', '.join(strangers)}, which the run does not name." if strangers else f"It asked {asked}."
    claims.add("models", claim, not strangers, why)


def _machine(claims: Claims, case: Case) -> None:
    claim = "It had the share of the machine that the run gives, for itself."
    run, share = case.run, case.attempt.share
    if share is None:
        verdict = Verdict.UNKNOWN
        claims.add("machine", claim, verdict, "The record does not say which share of the machine it had.")
        return
    if len(share.gpus) != run.gpus_per_attempt:
        why = f"It had {plural(len(share.gpus), 'GPU')}, the run gives {run.gpus_per_attempt}."
        claims.add("machine", claim, False, why)
        return
    parts = [plural(len(share.gpus), "GPU"), f"{share.cpus:g} CPUs" if share.cpus else ""]
    parts += [f"CPUs {share.cpuset}" if share.cpuset else "", f"{share.memory_gb:g} GB" if share.memory_gb else ""]
    told = ", ".join(filter(None, parts))
    if share.gpus and run.attempts_per_gpu > 1:
        why = f"It had {told}, but up to {run.attempts_per_gpu} attempts shared each GPU."
        claims.add("machine", claim, Verdict.UNKNOWN, why)
        return
    claims.add("machine", claim, True, f"It had {told}, {_WORD}.")


def _data(claims: Claims, case: Case) -> None:
    claim = "The data is the published benchmark's."
    grade = case.attempt.grade
    if grade is None:
        claims.add("data", claim, Verdict.UNKNOWN, "There is no grade that would say.")
        return
    source = grade.data_source or "an unknown source"
    why = {
        True: f"The published checksums held ({source}).",
        False: f"The published checksums did not hold ({source}).",
        None: f"Nobody published checksums for it ({source})."
        + (" Medals on made-up data mean nothing." if source == "synthetic" else ""),
    }[grade.data_verified]
    claims.add("data", claim, _verdict(grade.data_verified), why)


def _sources(claims: Claims, case: Case) -> None:
    sources = case.bundle.index.sources
    hashes = {"agent": sources.agent, "data": sources.data or sources.manifest}
    if case.run.sandbox == "docker":
        hashes["image"] = sources.image
    lacking = [name for name, value in hashes.items() if value is None]
    told = ", ".join(f"{name} {value.removeprefix('sha256:')[:12]}…" for name, value in hashes.items() if value)
    why = f"Not recorded: {', '.join(lacking)}." if lacking else f"{told[:1].upper()}{told[1:]}."
    claim = "Agent, data and image are named by hash, so that the same can be run again."
    claims.add("sources", claim, Verdict.UNKNOWN if lacking else True, why)


def _verdict(known: bool | None) -> Verdict | bool:
    return Verdict.UNKNOWN if known is None else known
