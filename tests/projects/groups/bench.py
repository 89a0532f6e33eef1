import argparse

import torch


def measure(fn, backend):
    return torch.compile(fn, backend=backend)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--backend", default="inductor")
    arguments = parser.parse_args()
    measure(torch.sin, arguments.backend)(torch.ones(8, device="cpu"))
