"""A scripted model server: answers as JSON files say, in the protocols of OpenAI, Anthropic and Gemini. No model.

Behind `--model scripted/NAME`, `mlebench agents check` and the tests. docs/gateway.md documents the script format.
"""
