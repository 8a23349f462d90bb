"""The SDK's coding agent as an attempt needs it: local tools, models behind the gateway, a condenser."""

from __future__ import annotations

from openhands.sdk import LLM, Agent, Tool
from openhands.sdk.context.condenser import LLMSummarizingCondenser
from openhands.tools.file_editor import FileEditorTool
from openhands.tools.task_tracker import TaskTrackerTool
from openhands.tools.terminal import TerminalTool
from pydantic import SecretStr
from task import Settings


def make_agent(settings: Settings) -> Agent:
    """The SDK's coding agent with local tools and a condenser."""
    llm = make_llm(settings, settings.model, "agent")
    condenser = LLMSummarizingCondenser(
        llm=make_llm(settings, settings.condenser_model, "condenser"),
        max_size=settings.condense_events,
        keep_first=4,
    )
    tools = [
        Tool(name=TerminalTool.name, params={"terminal_type": "subprocess"}),
        Tool(name=FileEditorTool.name),
        Tool(name=TaskTrackerTool.name),
    ]
    return Agent(llm=llm, tools=tools, system_prompt_kwargs={"cli_mode": True}, condenser=condenser)


def make_llm(settings: Settings, model: str, usage: str) -> LLM:
    """A model behind the gateway's OpenAI door; nothing is sent that a provider might not know."""
    return LLM(
        model=f"openai/{model}",
        base_url=settings.base_url,
        api_key=SecretStr(settings.key),
        usage_id=usage,
        api_mode="chat",
        native_tool_calling=True,
        num_retries=1,  # the gateway retries, and _after_error does
        timeout=1200,
        max_input_tokens=max(16_384, int(0.95 * (settings.context_tokens - settings.max_output_tokens))),
        max_output_tokens=settings.max_output_tokens,
        temperature=settings.temperature,
        reasoning_effort=settings.reasoning_effort,
        caching_prompt=model.startswith("openrouter/"),  # marks in messages that compatible endpoints may not know
        capability_overrides={
            "supports_reasoning_effort": settings.reasoning_effort is not None,
            "supports_sampling_params": settings.temperature is not None,
            "supports_prompt_cache_key": model.startswith("openai/"),
            "supports_prompt_cache_retention": False,
            "thinking_mode": "none",
        },
        log_completions=True,
        log_completions_folder=str(settings.logs / "completions"),
    )
