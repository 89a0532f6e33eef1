"""
Run by `exec` from the other scripts: what the command line says becomes global variables.
"""

import sys
from ast import literal_eval

for arg in sys.argv[1:]:
    if "=" not in arg:
        exec(open(arg).read())
    else:
        key, val = arg.lstrip("-").split("=")
        globals()[key] = literal_eval(val)
