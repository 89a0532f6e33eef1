import os
from contextlib import nullcontext

import tiktoken
import torch

from model import GPT, Config

device = "cuda" if torch.cuda.is_available() else "cpu"
seed = 1337
exec(open("configurator.py").read())

torch.manual_seed(seed)
enc = tiktoken.get_encoding("gpt2")
model = GPT(Config()).to(device).eval()
with torch.no_grad(), nullcontext():
    print(enc.decode(model(torch.tensor([enc.encode(os.environ.get("PROMPT", "\n"))], device=device))[0]))
