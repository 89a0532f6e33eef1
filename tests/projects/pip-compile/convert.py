from safetensors.torch import load_file
