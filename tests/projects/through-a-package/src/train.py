import hydra
import lightning as L
import rootutils

rootutils.setup_root(__file__, indicator=".project-root", pythonpath=True)

from src.net import Net  # noqa: E402


class Module(L.LightningModule):
    def setup(self, stage: str) -> None:
        import torch

        if self.hparams.compile and stage == "fit":
            self.net = torch.compile(Net())
