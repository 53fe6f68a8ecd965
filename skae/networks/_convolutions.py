"""Convolutions that are trained to the same bits by any number of threads."""

import torch
from torch import nn

from skae._utils.threads import threads


class Convolution(nn.Conv2d):
    """A convolution; the gradient of its weight is computed in one thread."""

    def forward(self, X):
        if not (self.training and torch.is_grad_enabled()):
            return super().forward(X)
        settings = self.stride, self.padding, self.dilation, False, (0, 0), 1
        return _Convolved.apply(X, self.weight, self.bias, settings)


class TransposedConvolution(nn.ConvTranspose2d):
    """A transposed convolution; the gradient of its weight comes from one thread."""

    def forward(self, X):
        if not (self.training and torch.is_grad_enabled()):
            return super().forward(X)
        padding = self.padding, self.dilation, True, self.output_padding, 1
        return _Convolved.apply(X, self.weight, self.bias, (self.stride, *padding))


class OnRows(nn.Module):
    """Applies an activation to images by way of their cells in memory.

    For others than these, GELU takes longer, and rounds by the number of threads.

    Parameters
    ----------
    activation : Module
    """

    def __init__(self, activation):
        super().__init__()
        self.activation = activation

    def forward(self, X):
        if X.dim() != 4 or not self.training:
            return self.activation(X)
        return self.activation(X.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class _Convolved(torch.autograd.Function):
    """torch.convolution, whose weight gradient sums up shares of the batch."""

    @staticmethod
    def forward(ctx, X, weight, bias, settings):
        ctx.save_for_backward(X, weight)
        ctx.settings = settings
        return torch.convolution(X, weight, bias, *settings)

    @staticmethod
    def backward(ctx, gradient):
        X, weight = ctx.saved_tensors
        of_input, *of_weights = ctx.needs_input_grad[:3]
        is_transposed = ctx.settings[3]
        widths = [weight.shape[1 if is_transposed else 0]]

        def gradients(wanted):
            return torch.ops.aten.convolution_backward(
                gradient, X, weight, widths, *ctx.settings, wanted
            )

        found = [None, None, None]
        if of_input:
            found[0] = gradients([True, False, False])[0]
        if any(of_weights):
            with threads(1):
                found[1:] = gradients([False, *of_weights])[1:]
        return *found, None
