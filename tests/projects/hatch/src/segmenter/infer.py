import torch
from monai.networks.nets import UNet


def build(device=None):
    device = device or torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    net = UNet(spatial_dims=3, in_channels=1, out_channels=2, channels=(16, 32), strides=(2,))
    return torch.compile(net.to(device), backend="aot_eager", dynamic=True)
