import os

import numpy as np
import tiktoken
from datasets import load_dataset
from tqdm import tqdm

from common import shards

enc = tiktoken.get_encoding("gpt2")

if __name__ == "__main__":
    stories = load_dataset("stories", num_proc=os.cpu_count())
    for shard in tqdm(shards(stories["train"])):
        np.array([token for text in shard for token in enc.encode_ordinary(text)], dtype=np.uint16).tofile("train.bin")
