import torch
from munkres import Munkres


class Head(torch.nn.Module):
    def forward(self, x):
        return Munkres, x
