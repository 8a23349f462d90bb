"""The environment: a working folder with the task's files, actions, a trace."""

import copy
import os
import shutil
import signal
import time

from dacite import from_dict  # noqa: F401

from .high_level_actions import HIGH_LEVEL_ACTIONS
from .low_level_actions import LOW_LEVEL_ACTIONS
from .schema import EnvException, Step, Trace


class Environment:
    def __init__(self, args):
        self.args = args
        self.log_dir = os.path.join(args.log_dir, "env_log")
        for name in ("tool_logs", "traces"):
            os.makedirs(os.path.join(self.log_dir, name))
        here = os.path.join(os.path.dirname(os.path.realpath(__file__)), "benchmarks", args.task)
        with open(os.path.join(here, "scripts", "research_problem.txt")) as file:
            self.research_problem = file.read()
        self.work_dir = os.path.join(args.work_dir, args.task)
        shutil.copytree(os.path.join(here, "env"), self.work_dir, symlinks=True)
        os.mkdir(os.path.join(self.work_dir, "backup"))
        self.action_infos = {info.name: info for info in LOW_LEVEL_ACTIONS + HIGH_LEVEL_ACTIONS}
        self._trace = Trace()
        self._started = time.time()

    @property
    def trace(self):
        return copy.deepcopy(self._trace)

    def __enter__(self):
        signal.alarm(1)  # would end the test at once: the launcher has its own watch
        return self

    def __exit__(self, kind, problem, traceback):
        with open(os.path.join(self.log_dir, "overall_time.txt"), "w") as file:
            file.write(str(time.time() - self._started))

    def is_final(self):
        steps = self._trace.steps
        over = time.time() - self._started > self.args.max_time
        return over or len(steps) >= self.args.max_steps or any(step.action.name == "Final Answer" for step in steps)

    def execute(self, action):
        number = len(self._trace.steps)
        log_file = os.path.join(self.log_dir, "tool_logs", f"step_{number}_tool_log.log")
        try:
            observation = self.action_infos[action.name].function(
                **action.args, log_file=log_file, trace=self._trace, work_dir=self.work_dir, python=self.args.python
            )
        except EnvException as problem:
            observation = "EnvError: " + problem.message
        except Exception:
            observation = f"EnvError: Error executing {action.name}."
        self._trace.steps.append(Step(action, observation, time.time()))
        self.save(number)
        return observation

    def save(self, curr_step):
        raise AssertionError("the launcher replaces this: it would copy the whole workspace")
