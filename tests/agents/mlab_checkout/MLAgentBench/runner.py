"""The entry point."""

import argparse

from MLAgentBench import LLM
from MLAgentBench.agents.agent_langchain import LangChainAgent  # noqa: F401
from MLAgentBench.agents.agent_research import ResearchAgent
from MLAgentBench.environment import Environment

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("task", "log-dir", "work-dir", "llm-name", "fast-llm-name", "edit-script-llm-name"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--python", default="python")
    for name in ("max-steps", "agent-max-steps", "max-time", "max-retries", "max-steps-in-context"):
        parser.add_argument("--" + name, type=int, required=True)
    parser.add_argument("--max-observation-steps-in-context", type=int)
    args = parser.parse_args()
    LLM.FAST_MODEL = args.fast_llm_name
    with Environment(args) as env:
        print("Final message: ", ResearchAgent(args, env).run(env))
    env.save("final")
