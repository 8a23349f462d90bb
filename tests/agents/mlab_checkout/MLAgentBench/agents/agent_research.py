"""A loop of completions and actions."""

import json
import os
import re

from MLAgentBench.LLM import complete_text
from MLAgentBench.schema import Action

from .agent import Agent


class ResearchAgent(Agent):
    def run(self, env):
        while not env.is_final() and len(self.history_steps) < self.args.agent_max_steps:
            number = len(self.history_steps)
            last = self.history_steps[-self.args.max_steps_in_context :]
            prompt = "You are a helpful research assistant.\n" + env.research_problem + json.dumps(last)
            for _ in range(self.args.max_retries):
                log_file = os.path.join(self.log_dir, f"step_{number}_log.log")
                text = complete_text(prompt, log_file, self.args.llm_name)
                found = re.search(r"Action: *(.*?)\nAction Input:(.*)", text, re.DOTALL)
                if found and found[1] in env.action_infos:
                    break
            else:
                return "No valid response after max_retries"
            observation = env.execute(Action(found[1], json.loads(found[2])))
            self.history_steps.append({"action": found[1], "observation": observation})
            self.save(os.path.join(self.log_dir, f"agent_{number}_{number}.json"))
        return "Finished due to env.is_final() == True" if env.is_final() else "Finished due to agent max steps reached"
