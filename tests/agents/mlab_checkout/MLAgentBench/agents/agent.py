"""The base class of agents."""

import json
import os

from MLAgentBench.schema import EnhancedJSONEncoder


class Agent:
    def __init__(self, args, env):
        self.args = args
        self.log_dir = os.path.join(args.log_dir, "agent_log")
        os.makedirs(self.log_dir)
        self.history_steps = []

    def save(self, file_path):
        with open(file_path, "w") as file:
            json.dump(self.__dict__, file, cls=EnhancedJSONEncoder)
