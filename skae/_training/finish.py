"""What becomes of a trained network: checked, and its codes given the data's metric."""

from dataclasses import dataclass

import numpy as np
import torch

from skae._training.data import CHUNK_ROWS, Batch
from skae._training.probabilistic import prior_factors
from skae._training.refit import refitted
from skae._utils.random import PrivateRandomness
from skae._utils.torch_state import as_arrays
from skae._utils.warnings import warn
from skae.exceptions import DivergenceError
from skae.networks._layers import LinearPath, weighted_layers

# Rows that a trained network is looked at with, and how often cells of them are hidden.
_HEAD_ROWS = 2048
_HIDINGS = 8
# Epochs of which more is expected than of a trial, and by how much held-out rows lose
# more than by chance.
_FEWEST_EPOCHS, _MORE_THAN_CHANCE = 10, 1.1


@dataclass(frozen=True)
class Hidden:
    """What was expected in cells of rows, while they were hidden.

    Attributes
    ----------
    rows : ndarray of shape (n,), int
        Numbers of the rows among those of the fit, those held out first.
    n_held_out : int
    expected : ndarray of shape (n, n_numbers), float32
        NaN where a cell was never hidden, or is missing.
    """

    rows: np.ndarray
    n_held_out: int
    expected: np.ndarray


@torch.no_grad()
def finished(model, result, data, objective, settings):
    """The model of a training's result.

    Parameters
    ----------
    model : Model
        Before the training.
    result : Result
    data : TrainingData
    objective : Objective
    settings : Settings

    Returns
    -------
    model : Model

    Raises
    ------
    DivergenceError
        If its reconstructions are not finite.
    """
    state = result.optimizer_state if settings.is_incremental else None
    model = model.replaced(weights=result.weights, optimizer_state=state)
    module = model.build().eval()
    shift, scale = model.scaling.tensors(torch.float64)
    parts = data.train[:_HEAD_ROWS].split(CHUNK_ROWS)
    codes = []
    for part in parts:
        code, output = module(objective.seen(part.dense()).cpu())
        reconstructed = model.loss.to_data(output, shift, scale)
        if not (code.isfinite().all() and reconstructed.isfinite().all()):
            raise DivergenceError(
                "Training ended in a network whose output is not finite, "
                f"{settings.smaller_rate}"
            )
        codes.append(code)
    if model.recipe.refines_codes:
        most = max(int((code != 0).sum(1).max()) for code in codes)
        model = model.replaced(recipe=model.recipe.for_codes_with(most))
    if not model.recipe.penalty.in_nats:  # whose codes may be empty on purpose
        _warn_of_mean(result, data, objective)
    if settings.is_incremental or result.best_iter == 0:
        return model
    if model.recipe.refines_codes:
        return refitted(model, data, objective)
    # A matrix cannot be undone in the transposed weight of a tied layer.
    if module.is_tied or not model.recipe.network.is_known:
        return model
    if model.recipe.is_probabilistic:
        factors = prior_factors(module, torch.cat(codes))
        map_codes(module.bare, factors.diag())
        module.maps[-1].scale_codes(factors)
        return model.replaced(weights=as_arrays(module.state_dict()))
    if not model.recipe.has_free_codes:
        return model
    if len(parts) == 1:
        slopes = _slopes(code.double(), reconstructed / model.scaling.scale)
    else:
        outputs = map(module.decode, codes)
        data = (model.loss.to_data(output, shift, scale) / scale for output in outputs)
        slopes = _slopes_of_parts(codes, data)
    map_codes(module.bare, _metric_root(slopes))
    return model.replaced(weights=as_arrays(module.state_dict()))


def _warn_of_mean(result, data, objective):
    """Warn where held-out rows lose more by what is kept than by their mean."""
    if result.best_iter == 0 or len(result.history) < _FEWEST_EPOCHS:
        return
    row = result.history[result.best_iter - 1]
    # What undoes damage may do worse for rows without any.
    losses = [row[name] for name in ("valid_loss", "valid_objective") if name in row]
    kept = min(losses, default=-np.inf)
    of_mean = objective.of_mean(data.all[:_HEAD_ROWS].dense())
    if kept > _MORE_THAN_CHANCE * of_mean > 0:
        warn(
            f"What was trained loses {kept:.3g} on held-out rows, more than their mean "
            f"does ({of_mean:.3g}): it says nothing of new rows. Use a smaller "
            "learning_rate or more epochs (max_iter), fewer components, or more rows."
        )


@torch.no_grad()
def expected_of_hidden(model, data, objective, seed):
    """What a model expects in cells of rows, while they are hidden.

    Of each row other cells are hidden several times, so that few are left that never
    were. Of a cell the first time counts.

    Parameters
    ----------
    model : Model
    data : TrainingData
    objective : Objective
    seed : int
        Of the cells that are hidden.

    Returns
    -------
    hidden : Hidden
    """
    module = model.build().eval().to(data.device)
    generator = torch.Generator(data.device).manual_seed(seed)
    layout = model.recipe.layout
    n_numbers = model.n_features if layout is None else layout.n_numbers
    rows, found = data.all[:_HEAD_ROWS], []
    for part in map(Batch.dense, rows.split(CHUNK_ROWS)):
        cells = torch.full((len(part), n_numbers), torch.nan)
        for _ in range(_HIDINGS):
            with PrivateRandomness(generator):
                seen = objective.corrupt(part, generator)
            is_new = seen.isnan()
            if part.mask is not None:
                is_new &= objective.cells_of(part.mask)
            is_new = is_new[:, :n_numbers].cpu() & cells.isnan()
            expected = objective.to_data(module(seen)[1])[:, :n_numbers]
            cells = torch.where(is_new, expected.float(), cells)
        found.append(cells.numpy())
    return Hidden(data.order[: len(rows)], data.n_held_out, np.concatenate(found))


def _slopes(code, data):
    """The linear regression (k, d) of the data on the codes, by least squares."""
    code, data = code - code.mean(0), (data - data.mean(0)).double()
    # Codes were computed in single precision: what is below it is no direction.
    solution = torch.linalg.lstsq(code, data, rcond=1e-5, driver="gelsd")
    return solution.solution


def _slopes_of_parts(codes, data):
    """As `_slopes`, of rows too wide to be reconstructed all at once."""
    sizes, code = list(map(len, codes)), torch.cat(codes).double()
    # Of centred codes: the mean of the data adds nothing.
    inverse = torch.linalg.pinv(code - code.mean(0), rtol=1e-5)  # (k, n)
    parts = zip(inverse.split(sizes, 1), data, strict=True)
    return sum(part @ reconstructed for part, reconstructed in parts)


def _metric_root(slopes):
    """The matrix (k, k) after which distances of codes are those of reconstructions.

    In least squares: with V (k, d) the linear regression of the data on the codes,
    the symmetric root of V V'. The identity where codes are PCA's scores. Training
    leaves codes in any scale, and each component in its own.
    """
    values, vectors = torch.linalg.eigh(slopes @ slopes.T)
    largest = float(values[-1])
    if not largest > 0:
        return torch.eye(len(values), dtype=torch.float32)
    # Directions that stand for next to nothing stay part of the code.
    values = values.clamp(min=1e-4 * largest)
    return (vectors * values.sqrt() @ vectors.T).float()


@torch.no_grad()
def map_codes(module, matrix):
    """Multiply a module's codes by a matrix, and undo it in the decoder.

    Parameters
    ----------
    module : EncoderDecoder
        Whose encoder's last layer with a weight, and whose decoder's first one, is a
        Linear layer of its own; so not where weights are tied.
    matrix : Tensor of shape (n_components, n_components)
        Invertible.
    """
    inverse = torch.linalg.inv(matrix.double()).float()
    encoder, decoder = module.encoder, module.decoder
    last, first = weighted_layers(encoder)[-1], weighted_layers(decoder)[0]
    outer, inner = [last], [first]
    if isinstance(encoder, LinearPath):
        last.weight.mul_(module.out_factor[:, None])
        last.bias.mul_(module.out_factor)
        module.out_factor.fill_(1)
        outer.append(encoder.linear)
    if isinstance(decoder, LinearPath):
        first.weight.mul_(module.in_factor)
        module.in_factor.fill_(1)
        inner.append(decoder.linear)
    for layer in outer:
        layer.weight.copy_(matrix @ layer.weight)
        layer.bias.copy_(matrix @ layer.bias)
    for layer in inner:
        layer.weight.copy_(layer.weight @ inverse)
