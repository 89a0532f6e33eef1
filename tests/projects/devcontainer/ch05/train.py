import tiktoken
import torch

from previous import GPTModel

device = torch.device("mps" if torch.backends.mps.is_available() else "cpu")
model = torch.compile(GPTModel(tiktoken.get_encoding("gpt2").n_vocab).to(device))
