import torch

print(torch.compile(lambda x: x)(torch.ones(1)))
