"""A reference for features: contrastive learning by corrupted cells.

SCARF (Bahri, Jiang, Tay, Metzler, 2022, ICLR, https://arxiv.org/abs/2106.15147) with
the layers, epochs and rows in a step that skae's autoencoders have, so that objectives
are compared and not sizes.
"""

from itertools import pairwise

import numpy as np

RATE, TEMPERATURE, HEAD = 0.6, 1.0, 128
HIDDEN, EPOCHS, LEARNING_RATE = (256, 128), 50, 1e-3


class Scarf:
    """Codes of which a row's own and those of a corrupted copy of it are alike."""

    name = "SCARF"

    def fit(self, X, k, seed):
        import torch
        from torch import nn
        from torch.nn import functional

        X = np.asarray(X, np.float32)
        self.mean_, self.scale_ = X.mean(0), float((X - X.mean(0)).std()) or 1.0
        rows = torch.from_numpy((X - self.mean_) / self.scale_)
        generator = torch.Generator().manual_seed(seed)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.encoder_ = _perceptron(nn, (X.shape[1], *HIDDEN, k))
            head = _perceptron(nn, (k, HEAD, HEAD))
        weights = [*self.encoder_.parameters(), *head.parameters()]
        optimizer = torch.optim.Adam(weights, LEARNING_RATE, fused=True)
        size = int(np.clip(2 ** round(np.log2(3 * len(X) ** 0.5)), 32, 512))
        for _ in range(EPOCHS):
            for batch in torch.randperm(len(rows), generator=generator).split(size):
                clean = rows[batch]
                # Cells of the batch's size from anywhere among the training rows.
                shape = clean.shape
                donors = torch.randint(len(rows), shape, generator=generator)
                is_replaced = torch.rand(shape, generator=generator) < RATE
                seen = torch.where(is_replaced, rows.gather(0, donors), clean)
                first, second = (
                    functional.normalize(head(self.encoder_(part)), dim=1)
                    for part in (clean, seen)
                )
                target = torch.arange(len(batch))
                loss = functional.cross_entropy(first @ second.T / TEMPERATURE, target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return self

    def encode(self, X):
        import torch

        standard = ((np.asarray(X) - self.mean_) / self.scale_).astype(np.float32)
        with torch.inference_mode():
            return self.encoder_(torch.from_numpy(standard)).numpy()


def _perceptron(nn, widths):
    layers = []
    for n_in, n_out in pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
