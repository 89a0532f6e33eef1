"""
Trains a small language model, on one GPU or on several:

$ python train.py --batch_size=32 --compile=False
$ torchrun --standalone --nproc_per_node=4 train.py

import pandas is not needed for it.
"""

from __future__ import annotations

import math
import os
import pickle
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.distributed import destroy_process_group, init_process_group
from torch.nn.parallel import DistributedDataParallel as DDP

from model import GPT, Config
from utils.logging import Logger

if TYPE_CHECKING:
    from collections.abc import Iterator

# -----------------------------------------------------------------------------
out_dir = "out"
batch_size = 12
block_size = 256
learning_rate = 6e-4
device = "cuda"
compile = True
wandb_log = False
# -----------------------------------------------------------------------------
config_keys = [k for k, v in globals().items() if not k.startswith("_") and isinstance(v, (int, float, bool, str))]
exec(open("configurator.py").read())  # overrides from the command line or from a file
config = {k: globals()[k] for k in config_keys}
# -----------------------------------------------------------------------------

ddp = int(os.environ.get("RANK", -1)) != -1
if ddp:
    init_process_group(backend="nccl")


def batches(split: str) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    data = np.memmap(os.path.join("data", "stories", f"{split}.bin"), dtype=np.uint16, mode="r")
    while True:
        at = torch.randint(len(data) - block_size, (batch_size,))
        x = torch.stack([torch.from_numpy(data[i : i + block_size].astype(np.int64)) for i in at])
        y = torch.stack([torch.from_numpy(data[i + 1 : i + 1 + block_size].astype(np.int64)) for i in at])
        yield x.to(device), y.to(device)


with open("data/stories/meta.pkl", "rb") as f:
    meta = pickle.load(f)

model = GPT(Config(vocab_size=meta["vocab_size"])).to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)

if compile:
    print("compiling the model... (takes a ~minute)")
    unoptimized_model = model
    model = torch.compile(model, mode="max-autotune-no-cudagraphs")

if ddp:
    model = DDP(model)

if wandb_log:
    import wandb

    wandb.init(project="stories", config=config)

logger = Logger(wandb if wandb_log else None)
context = nullcontext() if device == "cpu" else torch.autocast("cuda", torch.bfloat16)
for step, (x, y) in enumerate(batches("train")):
    started = time.time()
    with context:
        _, loss = model(x, y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    logger.log(step, loss=loss.item(), seconds=time.time() - started)
    if math.isnan(loss.item()):
        break

if ddp:
    destroy_process_group()
