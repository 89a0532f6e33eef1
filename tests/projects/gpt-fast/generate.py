"""Generates text with a small transformer under torch.compile, and says how fast."""

import argparse
import time

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    """Pre-norm attention and MLP, as in any GPT."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, length, width = x.shape
        shape = (batch, length, 3, self.heads, width // self.heads)
        q, k, v = self.qkv(self.norm1(x)).view(shape).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).reshape(batch, length, width))
        return x + self.mlp(self.norm2(x))


class Model(nn.Module):
    """A byte-level language model with random weights."""

    def __init__(self, context: int, width: int = 128, heads: int = 4, layers: int = 2) -> None:
        super().__init__()
        self.tokens, self.places = nn.Embedding(256, width), nn.Embedding(context, width)
        self.blocks = nn.Sequential(*(Block(width, heads) for _ in range(layers)))
        self.head = nn.Linear(width, 256, bias=False)

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        places = torch.arange(window.shape[1], device=window.device)
        return self.head(self.blocks(self.tokens(window) + self.places(places)))[:, -1]


def generate(model: nn.Module, window: torch.Tensor, count: int) -> torch.Tensor:
    """Appends the likeliest byte, and drops the oldest, `count` times."""
    for _ in range(count):
        token = model(window).argmax(dim=-1, keepdim=True)
        window = torch.cat([window[:, 1:], token], dim=1)
    return window


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompt", default="Hello, my name is")
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--context", type=int, default=64)
    args = parser.parse_args()

    torch.manual_seed(0)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = torch.compile(Model(args.context).to(device).eval(), fullgraph=True)
    prompt = list(args.prompt.encode()[-args.context :])
    window = torch.tensor([[0] * (args.context - len(prompt)) + prompt], device=device)

    generate(model, window, 2)  # Compiles.
    start = time.perf_counter()
    generate(model, window, args.tokens)
    elapsed = time.perf_counter() - start
    print(f"{args.tokens} tokens on {device} in {elapsed:.2f} s: {args.tokens / elapsed:.0f} tokens/s")


if __name__ == "__main__":
    main()
