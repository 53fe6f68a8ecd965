"""Weights averaged while training, which are judged and kept in place of the last."""

import torch

# Steps that the average looks back on: this share of all, and so many at the most.
_SHARE, _MOST_STEPS = 1 / 12, 100


class WeightAverage:
    """An exponential moving average of a module's weights over its training steps.

    Weights that follow each batch's own gradient, and each its own hidden cells, are
    noisy; their average is not, at no cost of steps [1]_.

    Parameters
    ----------
    module : Module
        Its weights are the average between epochs, while they are judged and kept.
    n_steps : int
        Of the training.

    References
    ----------
    .. [1] Polyak, B. T., Juditsky, A. B. (1992). Acceleration of stochastic
       approximation by averaging. SIAM Journal on Control and Optimization 30(4).
       :doi:`10.1137/0330046`
    """

    def __init__(self, module, n_steps):
        self.rate = 1 / min(max(1.0, _SHARE * n_steps), _MOST_STEPS)
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.trained = self._copies()
        self.average = self._copies()

    def _copies(self):
        return [parameter.detach().clone() for parameter in self.parameters]

    def state_dict(self):
        """Weights that training goes on from, and their average, as arrays."""
        return {
            name: [tensor.cpu().numpy().copy() for tensor in getattr(self, name)]
            for name in ("trained", "average")
        }

    @torch.no_grad()
    def load_state_dict(self, state):
        for name, arrays in state.items():
            torch._foreach_copy_(getattr(self, name), list(map(torch.tensor, arrays)))

    @torch.no_grad()
    def begin_epoch(self):
        """Give the module the weights that training goes on from."""
        torch._foreach_copy_(self.parameters, self.trained)

    @torch.no_grad()
    def after_step(self):
        torch._foreach_lerp_(self.average, self.parameters, self.rate)

    @torch.no_grad()
    def end_epoch(self):
        """Give the module the average."""
        torch._foreach_copy_(self.trained, self.parameters)
        torch._foreach_copy_(self.parameters, self.average)
