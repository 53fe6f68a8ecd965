"""What training costs without skae: a bare torch loop, stock skorch, MLPRegressor.

All train the very network that a fitted skae estimator has.
"""

import warnings
from copy import deepcopy

import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from skorch import NeuralNetRegressor
from torch import nn
from torch.nn import functional as F

LEARNING_RATE = 1e-3  # no step costs more or less for it


class Reconstruction(nn.Module):
    """A module with encode and decode as one with forward."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, X):
        return self.module.decode(self.module.encode(X))


def network_of(estimator):
    """A copy of a fitted estimator's network, for rows as the network reads them."""
    module = deepcopy(estimator.net_.module_)
    return module.requires_grad_(True).train()


def bare_loop(module, X, batch_size, epochs, device="cpu", on_epoch=None):
    """Fused AdamW over shuffled slices of one tensor; nothing else."""
    module = Reconstruction(deepcopy(module)).to(device)
    optimizer = torch.optim.AdamW(module.parameters(), lr=LEARNING_RATE, fused=True)
    rows = torch.from_numpy(X).to(device)
    for _ in range(epochs):
        order = torch.randperm(len(rows), device=device)
        for indices in order.split(batch_size):
            batch = rows.index_select(0, indices)
            loss = F.mse_loss(module(batch), batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if on_epoch is not None:
            on_epoch()
    return module


def stock_skorch(module, X, batch_size, epochs, device="cpu"):
    """NeuralNetRegressor with its own DataLoader."""
    net = NeuralNetRegressor(
        Reconstruction(deepcopy(module)),
        optimizer=torch.optim.AdamW,
        lr=LEARNING_RATE,
        batch_size=batch_size,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        device=device,
    )
    return net.fit(X, X)


def perceptron(module, X, batch_size, epochs):
    """MLPRegressor of the same widths; it has no linear maps beside its layers."""
    regressor = MLPRegressor(
        hidden_layer_sizes=_widths(module),
        batch_size=batch_size,
        max_iter=epochs,
        n_iter_no_change=epochs + 1,
        learning_rate_init=LEARNING_RATE,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return regressor.fit(X, X)


def _widths(module):
    """Widths of the hidden layers and of the code, there and back."""
    layers = linear_layers(module.encoder)
    n_in, n_out = layers[0].in_features, layers[-1].out_features
    # A map from all inputs to all outputs lies beside the layers.
    layers = [
        layer
        for layer in layers
        if (layer.in_features, layer.out_features) != (n_in, n_out)
    ]
    *hidden, code = [layer.out_features for layer in layers]
    return (*hidden, code, *hidden[::-1])


def linear_layers(module):
    """All matrix products of a module."""
    return [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
