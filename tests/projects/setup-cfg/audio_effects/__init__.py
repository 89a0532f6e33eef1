import torch
import torchaudio

__version__ = "0.9.0"


def reverb(wave):
    return torch.compile(torchaudio.functional.fftconvolve)(wave, torch.rand(1, 16000))
