import torch
from einops import rearrange
from transformers import AutoModelForVision2Seq


def load(name: str, device: str = "cuda"):
    model = AutoModelForVision2Seq.from_pretrained(name).to(device)
    return torch.compile(model, mode="reduce-overhead", dynamic=False)


def patches(image):
    return rearrange(image, "c (h p) (w q) -> (h w) (c p q)", p=16, q=16)
