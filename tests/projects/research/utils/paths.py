from pathlib import Path

OUT = Path("out")
