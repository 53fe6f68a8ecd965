"""A linear decoder, fitted to the refined codes of a trained network."""

import torch

from skae._training.data import CHUNK_ROWS
from skae._utils.torch_state import as_arrays

# Rows that the decoder is fitted to at the most, and how often.
_ROWS = 8192
_ROUNDS = 8
# Rows for each component that are enough where none are held out to judge.
_LEAST_ROWS = 4
# What holds columns where they are, as a share of what the mean one is used.
_HELD = 0.01


@torch.no_grad()
def refitted(model, data, objective):
    """A model whose decoder was fitted to its refined codes, and these to it, in turns.

    Each column is held by what it was, so that few rows don't move it far.

    Parameters
    ----------
    model : Model
        Of a network whose codes are refined.
    data : TrainingData
    objective : Objective

    Returns
    -------
    model : Model
        After the round that was best for held-out rows. Where none are held out, after
        the last one, but of few rows for each component none is made.
    """
    module = model.build().eval()
    decoder = module.bare.dictionary
    if data.valid is None and len(data.train) < _LEAST_ROWS * model.n_components:
        return model
    train = _Part(module, objective, data.train)
    judged = None if data.valid is None else _Part(module, objective, data.valid)
    lowest, best = (
        torch.inf if judged is None else judged.error(),
        decoder.weight.clone(),
    )
    for _ in range(_ROUNDS):
        decoder.weight.copy_(_regression(train.refined(), train.rows, decoder))
        error = -torch.inf if judged is None else judged.error()
        if error <= lowest:
            lowest, best = error, decoder.weight.clone()
    decoder.weight.copy_(best)
    return model.replaced(weights=as_arrays(module.state_dict()))


class _Part:
    """Some rows, and the codes that a module's encoder has of them.

    Parameters
    ----------
    module : Autoencoder
    objective : Objective
    batch : Batch
    """

    def __init__(self, module, objective, batch):
        self.module = module
        parts = [part.dense() for part in batch[:_ROWS].split(CHUNK_ROWS)]
        rows = torch.cat([objective.seen(part).cpu() for part in parts])
        self.codes = torch.cat([module.encode(part) for part in rows.split(CHUNK_ROWS)])
        # What is missing is expected, so that it teaches nothing.
        self.rows = torch.where(rows.isnan(), module.decode(self.codes), rows)

    def refined(self):
        return self.module.refiner().of_rows(self.rows, self.codes)

    def error(self):
        return float((self.module.decode(self.refined()) - self.rows).square().mean())


def _regression(codes, rows, decoder):
    """A weight (d, k) for codes (n, k) of rows (n, d), held by the decoder's own."""
    codes, weight = codes.double(), decoder.weight.double()
    rows = rows.double() - decoder.bias.double()
    gram = codes.T @ codes
    held = _HELD * float(gram.diagonal().mean())
    if not held > 0:
        return weight.float()
    gram.diagonal().add_(held)
    right = codes.T @ rows + held * weight.T
    return torch.linalg.solve(gram, right).T.float()
