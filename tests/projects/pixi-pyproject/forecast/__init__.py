import torch
import xarray

compiled = torch.compile(dynamic=True)
