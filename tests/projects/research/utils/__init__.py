from . import logging, paths
