import natten
import torch
from flash_attn import flash_attn_func

attend = torch.compile(flash_attn_func, fullgraph=True, mode="reduce-overhead")
