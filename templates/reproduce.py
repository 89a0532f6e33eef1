# The smallest program that needs all of torch.compile's CPU path: two kernels with loops over vectors, a sum in parallel,
# and numbers that are held against those of the same function without torch.compile.
import torch


def function(x, y):
    return (torch.sin(x) ** 2 + torch.cos(y) * x.sigmoid()).sum(dim=-1)


x, y = torch.randn(2, 512, 257)
torch.testing.assert_close(torch.compile(function)(x, y), function(x, y))
print("torch.compile works with torch", torch.__version__)
