# -*- coding: utf-8 -*-
import numpy
import torch
