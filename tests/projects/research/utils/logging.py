import json
import sys


class Logger:
    def __init__(self, run=None):
        self.run = run

    def log(self, step, **values):
        if self.run is not None:
            self.run.log(values, step=step)
        json.dump({"step": step, **values}, sys.stderr)
