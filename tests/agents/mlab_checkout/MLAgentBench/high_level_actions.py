"""A tool that asks a model."""

from .LLM import complete_text_fast
from .schema import ActionInfo


def understand_file(file_name, things_to_look_for, work_dir=".", **kwargs):
    return complete_text_fast(f"Given this (partial) file {file_name}: {things_to_look_for}", kwargs["log_file"])


HIGH_LEVEL_ACTIONS = [ActionInfo("Understand File", {"file_name": "", "things_to_look_for": ""}, understand_file)]
