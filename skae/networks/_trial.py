"""A new network, tried before it is trained: errors in the user's words."""

import torch

from skae._utils.random import PrivateRandomness
from skae.networks._autoencoder import Autoencoder, MappedAutoencoder, Method
from skae.networks._holes import HolesAutoencoder, ReadHoles
from skae.networks._network import OwnModule


def made(network, code_maps, n_features, n_components, reading=None):
    """A module of a network whose codes pass through code maps.

    Parameters
    ----------
    network : Network
    code_maps : sequence of CodeMap
    n_features, n_components : int
    reading : tuple of (told, n_binned), default=None
        Where rows may have missing cells: what a network that can be is told of them,
        as :class:`ReadHoles` takes it. None is for rows without missing cells.

    Returns
    -------
    module : Autoencoder
    """
    holes = None
    if reading is not None:
        holes = ReadHoles(n_features, *(reading if network.can_be_told else ((), 0)))
    if holes is not None and holes.n_inputs:
        module = network.with_inputs(n_features, n_components, holes.n_inputs)
    else:
        module = network(n_features, n_components)
    if not isinstance(module, Autoencoder):
        raise TypeError(
            f"network={network!r} returned a {type(module).__name__}, but a module "
            "derived from skae.networks.Autoencoder was expected."
        )
    if holes is not None:
        module = HolesAutoencoder(module, holes)
    if code_maps:
        module = MappedAutoencoder(module, code_maps, n_components)
    return module.float()


def tried(network, code_maps, n_features, n_components, reading=None):
    """As :func:`made`, once it is known to encode and decode rows.

    Raises
    ------
    TypeError
        If it cannot be made, is no module, lacks a method, or returns something else
        than a tensor.
    ValueError
        If a shape or a dtype is not the expected one, if it writes to what it reads or
        draws random numbers in evaluation mode, if it has nothing to train, or if
        parts of it are shared with the next one that is made.
    """
    module = made(network, code_maps, n_features, n_components, reading)
    inner, maps = module.bare, module.maps if code_maps else ()
    outer = module.network if code_maps else module
    name = type(inner.module if isinstance(inner, OwnModule) else inner).__name__
    module.eval()
    with torch.no_grad():
        rows = torch.zeros(2, n_features, dtype=torch.float32)
        code = _checked(Method(outer, "encode"), f"{name}.encode", rows, n_components)
        for part, code_map in zip(code_maps, maps, strict=True):
            code = _checked(code_map, f"The code map {part!r}", code, n_components)
        if module.is_gaussian:
            _checked(module.log_variance, "log_variance", code, n_components)
        _checked(Method(inner, "decode"), f"{name}.decode", code, n_features)
        # Once more: lazy layers have drawn their weights by now.
        with PrivateRandomness(torch.Generator()) as randomness:
            module(rows)
    if randomness.used:
        raise ValueError(
            f"The network {name} draws random numbers in evaluation mode, so that "
            "equal rows would get different codes: draw only while self.training."
        )
    trained = [p for p in inner.parameters() if p.requires_grad]
    if not trained:
        raise ValueError(f"The network {name} has no parameters to train.")
    _check_state(inner.module if isinstance(inner, OwnModule) else inner, name)
    _check_gradients(module, name, rows)
    if not (network.is_known and all(part.is_known for part in code_maps)):
        _check_draws(module, name, rows)
        with PrivateRandomness(torch.Generator()):
            again = made(network, code_maps, n_features, n_components, reading)
        if _trained(module) & _trained(again):
            raise ValueError(
                f"network or code_map returned the same {name} twice, or one that "
                "shares layers with it, so that fits would overwrite each other's "
                "weights: make new layers in each call."
            )
    return module.train()


def _checked(function, name, given, width):
    """What a function returns, once its type and shape are known to be right."""
    given_shape, expected = tuple(given.shape), (len(given), width)
    version = given._version
    try:
        got = function(given)
    except RuntimeError as error:
        raise ValueError(
            f"{name} failed for an input of shape {given_shape}, from which shape "
            f"{expected} was expected: {error}"
        ) from error
    if not isinstance(got, torch.Tensor):
        raise TypeError(
            f"{name} returned a {type(got).__name__}, but a tensor was expected."
        )
    if tuple(got.shape) != expected:
        raise ValueError(
            f"{name} returned shape {tuple(got.shape)} for an input of shape "
            f"{given_shape}, but shape {expected} was expected."
        )
    if got.dtype != torch.float32:
        raise ValueError(
            f"{name} returned {got.dtype}, but torch.float32 was expected."
        )
    if given._version != version:
        raise ValueError(
            f"{name} writes to its input, which is still needed: use inplace=False "
            "in its first layer, or work on a copy, input.clone()."
        )
    return got


def _check_state(module, name):
    """Raise for a state that is more than tensors, of which fits are kept."""
    for key, value in module.state_dict().items():
        if not isinstance(value, torch.Tensor):
            raise ValueError(
                f"The network {name} has {key!r}, a {type(value).__name__}, in its "
                "state_dict, but only tensors are kept of a fit: use register_buffer."
            )


@torch.enable_grad()
def _check_gradients(module, name, rows):
    if not module(rows)[1].requires_grad:
        raise ValueError(
            f"The output of the network {name} has no gradient, so that it cannot be "
            "trained: remove torch.no_grad() and detach() from encode and decode."
        )


def _trained(module):
    """Identities of all that training changes: trained parameters, and buffers."""
    trained = {id(p) for p in module.parameters() if p.requires_grad}
    return trained | {id(buffer) for buffer in module.buffers()}


def _check_draws(module, name, rows):
    """Raise for a network that draws although it declares that it does not."""
    if module.draws:
        return
    state = {key: value.clone() for key, value in module.state_dict().items()}
    module.train()
    with torch.no_grad(), PrivateRandomness(torch.Generator()) as randomness:
        module(rows)
    module.eval().load_state_dict(state)
    if randomness.used:
        raise ValueError(
            f"The network {name} declares draws = False, but draws random numbers "
            "while it is trained: leave the attribute out."
        )
