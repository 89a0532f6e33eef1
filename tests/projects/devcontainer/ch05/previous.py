import torch


class GPTModel(torch.nn.Module):
    pass
