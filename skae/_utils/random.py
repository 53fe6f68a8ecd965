"""Private randomness: seeds, and torch code that draws from a generator of ours."""

import numpy as np
import torch
from sklearn.base import clone
from sklearn.utils import check_random_state
from torch.utils._python_dispatch import TorchDispatchMode


def new_seed(random_state):
    """A seed of our own; None neither reads nor changes numpy's global generator."""
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    return int(check_random_state(random_state).randint(2**31 - 1))


def seeded_clone(estimator, seed, **params):
    """A clone of an estimator, with a seed if it has no random state of its own.

    Parameters
    ----------
    estimator : estimator
    seed : int
    **params : dict
        Other parameters to set, where it has them.

    Returns
    -------
    estimator : estimator
    """
    made = clone(estimator)
    known = made.get_params()
    if known.get("random_state", 0) is None:
        params["random_state"] = seed
    return made.set_params(**{name: v for name, v in params.items() if name in known})


_ATEN = torch.ops.aten
# What makes new tensors of the default dtype.
_FACTORIES = {
    _ATEN.empty.memory_format,
    _ATEN.zeros.default,
    _ATEN.ones.default,
    _ATEN.eye.default,
    _ATEN.eye.m,
    _ATEN.rand.default,
    _ATEN.randn.default,
    _ATEN.linspace.default,
}
# What draws a tensor like another one, by what fills one from a generator: only newer
# versions of PyTorch have the former with a generator.
_LIKE = {
    _ATEN.rand_like.default: torch.Tensor.uniform_,
    _ATEN.randn_like.default: torch.Tensor.normal_,
    _ATEN.randint_like.default: torch.Tensor.random_,
    _ATEN.randint_like.low_dtype: torch.Tensor.random_,
}


class PrivateRandomness(TorchDispatchMode):
    """Makes every random operation inside the context draw from one generator.

    Modules draw their initial weights, and layers such as Dropout their masks, from
    torch's global generator, which other threads share and the user may have seeded.
    Below this mode the same operations get a generator. A mode is local to its
    thread, so that fits in several threads at once don't mix. New tensors are of single
    precision, since other numbers would be drawn in another default dtype.

    Parameters
    ----------
    generator : torch.Generator

    Attributes
    ----------
    used : bool
        Whether anything was drawn.
    """

    def __init__(self, generator):
        super().__init__()
        self.generator = generator
        self.used = False

    @classmethod
    def _should_skip_dynamo(cls):
        # A wrapper against tracing would take as long as all else in here.
        return False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in _FACTORIES and kwargs.get("dtype") is None:
            kwargs = kwargs | {"dtype": torch.float32}
        if torch.Tag.nondeterministic_seeded not in func.tags:
            return func(*args, **kwargs)
        if func is torch.ops.aten.native_dropout.default:
            return self._native_dropout(*args, **kwargs)
        # Attention that drops nothing, and activations in evaluation mode.
        if _argument(func, "dropout_p", args, kwargs) == 0:
            return func(*args, **kwargs)
        if _argument(func, "training", args, kwargs) is False:
            return func(*args, **kwargs)
        self.used = True
        if func in _LIKE:
            X, *bounds = args
            filled = torch.empty_like(X, **kwargs)
            return _LIKE[func](filled, *bounds, generator=self.generator)
        func = _with_generator(func)
        if _argument(func, "generator", args, kwargs) is not None:
            return func(*args, **kwargs)
        names = [argument.name for argument in func._schema.arguments]
        given = dict(zip(names, args, strict=False)) | kwargs
        return func(**(given | {"generator": self.generator}))

    def _native_dropout(self, X, p, train):
        """The fused dropout of accelerators, the one operation without a generator."""
        if not train or p == 0:
            return X.clone(), torch.ones_like(X, dtype=torch.bool)
        self.used = True
        kept = torch.empty_like(X).bernoulli_(1 - p, generator=self.generator)
        scale = 0.0 if p == 1 else 1 / (1 - p)
        return X * kept * scale, kept.bool()


def _argument(func, name, args, kwargs):
    """Value of an argument of an operation, or None where there is none."""
    for i, argument in enumerate(func._schema.arguments):
        if argument.name == name:
            default = kwargs.get(name, argument.default_value)
            return args[i] if i < len(args) else default
    return None


def _with_generator(func):
    """The overload of a random operation that takes a generator."""
    if any(argument.name == "generator" for argument in func._schema.arguments):
        return func
    packet = func.overloadpacket
    for name in (f"{func._overloadname}_generator", "generator"):
        if name in packet.overloads():
            return getattr(packet, name)
    raise ValueError(
        f"The network draws random numbers through {func}, which takes no generator, "
        "so that its results could not be reproduced. Draw them with torch.rand, "
        "torch.randn, Tensor.bernoulli_ or torch.nn.Dropout instead."
    )
