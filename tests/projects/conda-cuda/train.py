import hydra
import open3d as o3d
import torch
from torch_geometric.nn import PointNetConv


@hydra.main(config_path="conf", config_name="train")
def main(cfg):
    model = PointNetConv().cuda()
    if cfg.compile:
        model = torch.compile(model, mode=cfg.mode, fullgraph=False)
    return o3d, model
