"""A trained network, applied; knows no training."""
