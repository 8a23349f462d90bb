"""Ways to the network that lead through a provider: tools that it runs itself, and addresses that it would fetch."""

from __future__ import annotations

from typing import Any

from mlebench.gateway.wire import Speech

_RUN_BY_THE_AGENT = {
    Speech.CHAT: ("function", "custom"),
    Speech.RESPONSES: ("function", "custom", "local_shell", "apply_patch", "computer"),
    Speech.ANTHROPIC: ("custom", "bash_", "text_editor_", "computer_", "memory_", "tool_search_"),
}
"""Types of tools (or beginnings of them) whose calls the agent carries out."""
_SWITCHES = {
    Speech.CHAT: ("web_search_options", "search_parameters", "plugins", "compound_custom"),
    Speech.RESPONSES: ("plugins", "search_parameters"),
    Speech.ANTHROPIC: ("mcp_servers", "container"),
}
"""Keys of a request that bring in such tools."""
_ADDRESSES = ("image_url", "file_url", "video_url", "url", "fileUri", "file_uri", "server_url")
_OPAQUE = ("functionResponse", "functionCall", "function_response", "function_call", "input_schema", "parameters")
_CONTENT = ("messages", "input", "contents", "system", "systemInstruction", "system_instruction", "content", "requests")


def hosted_feature(speech: Speech, model: str, body: dict[str, Any]) -> str | None:
    """What of the request would reach the network through the provider, in words; None when nothing would."""
    if model.endswith(":online"):
        return "the model variant :online"
    switch = next((key for key in _SWITCHES.get(speech, ()) if body.get(key)), None)
    if switch is not None:
        return switch
    tools = body.get("tools")
    for tool in tools if isinstance(tools, list) else []:
        found = _hosted_tool(speech, tool)
        if found is not None:
            return f"the tool {found}"
    fetched = any(_fetches(body[key]) for key in _CONTENT if key in body)
    return "content at an address of the network" if fetched else None


def _hosted_tool(speech: Speech, tool: Any) -> str | None:
    if not isinstance(tool, dict):
        return None
    if speech is Speech.GEMINI:
        others = [key for key in tool if key not in ("functionDeclarations", "function_declarations")]
        return str(others[0])[:80] if others else None
    kind = tool.get("type")
    if kind is None and speech is Speech.ANTHROPIC:
        return None
    place = tool.get("environment")
    local = speech is Speech.RESPONSES and kind == "shell" and isinstance(place, dict) and place.get("type") == "local"
    known = _RUN_BY_THE_AGENT.get(speech, ())
    if local or (
        isinstance(kind, str) and any(kind == one or (one[-1] == "_" and kind.startswith(one)) for one in known)
    ):
        return None
    if speech is Speech.RESPONSES and kind == "computer_use_preview":
        return None
    return str(kind)[:80]


def _fetches(value: Any, depth: int = 0) -> bool:
    if depth > 24:
        return False
    if isinstance(value, list):
        return any(_fetches(one, depth + 1) for one in value)
    if not isinstance(value, dict):
        return False
    if value.get("type") == "tool_use":
        return False
    for key, inner in value.items():
        if key in _ADDRESSES:
            address = inner.get("url") if isinstance(inner, dict) else inner
            if isinstance(address, str) and not address.startswith("data:"):
                return True
        elif key not in _OPAQUE and isinstance(inner, list | dict) and _fetches(inner, depth + 1):
            return True
    return False
