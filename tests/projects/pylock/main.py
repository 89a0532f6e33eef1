import torch

torch.compile(lambda x: x + 1, options={"max_autotune": True})(torch.ones(3, device="cuda"))
