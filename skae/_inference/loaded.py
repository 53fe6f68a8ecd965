"""Models as they come from files: whole, or a half of one."""

import numpy as np
import torch

from skae._utils.random import PrivateRandomness
from skae._utils.torch_state import undisturbed


def checked(model, half=None):
    """A model that was read from a file, once its weights are known to fit.

    Nothing is allocated that is larger than what was read: networks of known classes
    are made without memory, to be compared.

    Parameters
    ----------
    model : Model
    half : {"encode", "decode"}, default=None
        The half that all weights are there for, if not for both.

    Returns
    -------
    model : Model

    Raises
    ------
    ValueError
        If weights are missing, left over, of another shape or not finite.
    """
    # Users pass code maps as they do to a fit.
    model = model.replaced(recipe=model.recipe.for_codes_of(model.n_components))
    shift, weights = model.scaling.shift, model.weights
    cells = sum(value.size for value in weights.values())
    if not 0 < model.n_components <= cells or not 0 < len(shift):
        raise ValueError("Its sizes are not those of its weights.")
    _check_layout(model.recipe.layout, len(shift))
    _check_lengths(model.recipe, len(weights))
    module = _expected(model)
    expected = module.state_dict()
    missing, unknown = set(expected) - set(weights), set(weights) - set(expected)
    if half is not None and model.recipe.is_known:
        missing = missing & needed_for(module, half, model)
    if missing or unknown:
        lists = {"in the file": unknown, "in the network": missing}
        listed = " and ".join(
            f"{sorted(names)} only {where}" for where, names in lists.items() if names
        )
        raise ValueError(
            f"The network is another one than was saved: there are weights {listed}."
        )
    for name, value in weights.items():
        _check_weight(name, value, expected[name], model.recipe.is_known)
    _check_optimizer(model.optimizer_state, module)
    return model


def needed_for(module, half, model):
    """Names of the weights that a half of a module reads, by their gradients.

    Parameters
    ----------
    module : Autoencoder
    half : {"encode", "decode"}
    model : Model
        For the widths.

    Returns
    -------
    names : set of str
        With all buffers, and what is not trained; what reads rows is the encoder's.
    """
    width = model.n_features if half == "encode" else model.n_components
    is_read = half == "encode" or module.reader is None
    others = set() if is_read else {id(buffer) for buffer in module.reader.buffers()}
    names = {name for name, b in module.named_buffers() if id(b) not in others}
    parameters = dict(module.named_parameters())
    trained = {name: p for name, p in parameters.items() if p.requires_grad}
    names |= set(parameters) - set(trained)
    if not trained:
        return names
    device = next(iter(trained.values())).device
    with torch.enable_grad(), PrivateRandomness(torch.Generator()):
        rows = torch.ones(2, width, dtype=torch.float32, device=device)
        output = getattr(module.eval(), half)(rows)
        if not output.requires_grad:
            return set(module.state_dict())
        gradients = torch.autograd.grad(
            output.sum(), list(trained.values()), allow_unused=True
        )
    used = zip(trained, gradients, strict=True)
    names |= {name for name, gradient in used if gradient is not None}
    if half == "encode" and model.recipe.refines_codes:
        of_decoder = {id(p) for p in module.bare.dictionary.parameters()}
        names |= {name for name, p in trained.items() if id(p) in of_decoder}
    return names


def _expected(model):
    """A module of the model's recipe, without memory if its classes are known."""
    recipe, widths = model.recipe, (model.n_features, model.n_components)
    with undisturbed(), PrivateRandomness(torch.Generator()):
        if not recipe.is_known:
            return recipe.module(*widths)
        try:
            with torch.device("meta"):
                return recipe.module(*widths)
        except RuntimeError as error:  # sizes past what torch can count
            raise ValueError(f"No such network can be made: {error}") from error


def _check_layout(layout, width):
    """Raise for the layout of a table whose rows are not of the model's width."""
    if layout is None:
        return
    # Each width first: their sum may be too large for an integer.
    if (layout.widths > width).any() or layout.width != width:
        raise ValueError("Its columns are not those of its rows.")


def _check_lengths(recipe, most):
    """Raise for lists in parameters that are longer than there are weights."""
    for part in (recipe.network, *recipe.code_maps):
        for name, value in part.get_params(deep=False).items():
            is_many = isinstance(value, list | tuple | np.ndarray)
            if is_many and np.size(value) > max(most, 3):
                raise ValueError(f"{name} has {len(value)} values for {most} weights.")


def _check_weight(name, value, expected, is_known):
    shape, dtype = tuple(expected.shape), str(expected.dtype).removeprefix("torch.")
    if value.shape != shape or value.dtype != np.dtype(dtype):
        raise ValueError(
            f"The network's {name} has shape {shape} and type {dtype}, but the file "
            f"has {value.shape} and {value.dtype}: it is another one than was saved."
        )
    if value.dtype.kind != "f":
        return
    # A user's network may have masks of infinities.
    is_possible = np.isfinite(value) if is_known else ~np.isnan(value)
    if not is_possible.all():
        raise ValueError(f"The weights {name} are not finite.")


def _check_optimizer(state, module):
    """Raise for moments that are not those of the module's parameters."""
    if state is None:
        return
    parameters = list(module.parameters())
    for number, values in state.items():
        if not isinstance(number, int) or not 0 <= number < len(parameters):
            raise ValueError(f"The optimiser has state of a parameter {number!r}.")
        if not isinstance(values, dict) or set(values) != _MOMENTS:
            raise ValueError("The optimiser's state is not that of AdamW.")
        for name, value in values.items():
            shape = () if name == "step" else tuple(parameters[number].shape)
            is_array = isinstance(value, np.ndarray) and value.dtype == np.float32
            if not is_array or value.shape != shape:
                raise ValueError(f"The optimiser's {name} is not possible.")
            if not np.isfinite(value).all():
                raise ValueError(f"The optimiser's {name} is not finite.")


# What AdamW keeps of each parameter.
_MOMENTS = {"step", "exp_avg", "exp_avg_sq"}
