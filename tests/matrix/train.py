"""Fits a line with a compiled training step, and prints what it found."""

import torch

x = torch.linspace(-1, 1, 64).unsqueeze(1)
y = 3 * x + 0.5
model = torch.nn.Linear(1, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.2)


@torch.compile
def loss(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.mse_loss(model(x), y)


for _ in range(200):
    optimizer.zero_grad()
    error = loss(x, y)
    error.backward()
    optimizer.step()
print(f"y = {model.weight.item():.3f} x + {model.bias.item():.3f}")
