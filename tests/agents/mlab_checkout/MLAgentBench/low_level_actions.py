"""Tools on files and scripts."""

import functools
import inspect
import os
import time

from .schema import Action, ActionInfo, EnvException, Step


def check_file_in_work_dir(names):
    def decorate(function):
        @functools.wraps(function)
        def checked(*args, **kwargs):
            bound = inspect.signature(function).bind(*args, **kwargs).arguments
            for name in names:
                path = os.path.abspath(os.path.join(kwargs["work_dir"], bound[name]))
                if not path.startswith(os.path.abspath(kwargs["work_dir"])):
                    raise EnvException(f"cannot access file {bound[name]} because it is not in the work directory.")
            return function(*args, **kwargs)

        return checked

    return decorate


def record_low_level_step(function):
    @functools.wraps(function)
    def recorded(*args, **kwargs):
        known = {info.function.__name__: info.name for info in LOW_LEVEL_ACTIONS}
        observation = function(*args, **kwargs)
        step = Step(Action(known[function.__name__], {}), observation, time.time())
        kwargs["trace"].low_level_steps.append(step)
        return observation

    return recorded


@check_file_in_work_dir(["file_name"])
@record_low_level_step
def write_file(file_name, content, work_dir=".", **kwargs):
    with open(os.path.join(work_dir, file_name), "w") as file:
        file.write(content)
    return f"File {file_name} written successfully."


def execute_script(script_name, work_dir=".", **kwargs):
    raise AssertionError("the launcher replaces this tool")


LOW_LEVEL_ACTIONS = [
    ActionInfo("Write File", {"file_name": "", "content": ""}, write_file),
    ActionInfo("Execute Script", {"script_name": ""}, execute_script),
    ActionInfo("Final Answer", {"final_answer": ""}, lambda **kwargs: ""),
]
