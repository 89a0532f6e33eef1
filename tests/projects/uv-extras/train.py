import numpy as np
import torch
from accelerate import Accelerator

accelerator = Accelerator(dynamo_backend="inductor")


def main() -> None:
    unet = torch.nn.Linear(64, 64).to("cuda")
    unet.compile(mode="max-autotune")
    batch = torch.from_numpy(np.zeros((1, 64), dtype=np.float32)).to("cuda")
    print(unet(batch).sum().item())


if __name__ == "__main__":
    main()
