"""How far outputs of a network move with what it reads."""

import torch


def squared_gradients(function, X, directions):
    """Squared lengths (m, n) of the gradients of outputs along directions.

    Parameters
    ----------
    function : callable
        Of rows, each by itself, that returns outputs (n, k).
    X : Tensor of shape (n, d)
    directions : Tensor or sequence of Tensors of shape (m, n, k)
    """
    is_trained = torch.is_grad_enabled()  # and not validated or applied

    def squared(direction):
        (gradient,) = torch.autograd.grad(
            outputs, X, direction, retain_graph=True, create_graph=is_trained
        )
        # Squared one by one: outside of training, no gradient is kept.
        return gradient.square().sum(1)

    with torch.enable_grad():
        X = X.detach().requires_grad_()
        outputs = function(X)
        return torch.stack([squared(direction) for direction in directions])
