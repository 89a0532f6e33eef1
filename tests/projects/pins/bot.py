import discord
import torch
