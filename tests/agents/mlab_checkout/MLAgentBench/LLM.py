"""One completion by the legacy client, as the scaffold asks for it."""

import anthropic
import openai
import tiktoken
import torch  # noqa: F401
from transformers import AutoModelForCausalLM, StoppingCriteria  # noqa: F401

ENCODING = tiktoken.get_encoding("cl100k_base")
FAST_MODEL = "none"


def complete_text(prompt: str, log_file: str, model: str, max_tokens_to_sample: int = 500) -> str:
    assert model.startswith("gpt-4"), "any other name goes elsewhere"
    request = {"model": model, "temperature": 0.2, "max_tokens": max_tokens_to_sample, "stop": ["Observation:"]}
    answer = openai.ChatCompletion.create(messages=[{"role": "user", "content": prompt}], **request)
    text = answer["choices"][0]["message"]["content"]
    with open(log_file, "a") as log:
        log.write(
            f"{anthropic.HUMAN_PROMPT} {prompt} {anthropic.AI_PROMPT} {text}\n{len(ENCODING.encode(text))} tokens\n"
        )
    return text


def complete_text_fast(prompt: str, log_file: str) -> str:
    return complete_text(prompt, log_file, FAST_MODEL)
