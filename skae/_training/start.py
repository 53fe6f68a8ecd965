"""Where training starts: at random or at PCA, or at an earlier fit."""

from dataclasses import dataclass

import torch
from torch import nn

from skae._inference.model import Model
from skae._training.data import Batch
from skae._training.layerwise import check_is_layered, pretrain
from skae._training.probabilistic import become_probabilistic
from skae._utils.random import PrivateRandomness
from skae._utils.torch_state import as_arrays, cloned_state
from skae._utils.warnings import warn
from skae.networks._layers import LinearPath, linear_map, weighted_layers

# Rows that the start at PCA is measured on.
HEAD_ROWS = 2048
# Rows that bins of numbers are found on.
_BINNED_ROWS = 2**15
# Differences in standard deviations that rounding makes, and mixing of rows does not.
_ROUNDING = 1e-3


@dataclass(frozen=True)
class Start:
    """A module before its training.

    Attributes
    ----------
    model : Model
        What the module is, with fresh or earlier weights.
    module : Autoencoder
        On the CPU.
    pca_weights : dict of str to Tensor or None
        With which it is PCA; None where it cannot be, or need not be beaten.
    is_resumed : bool
        Whether the module holds an earlier fit.
    """

    model: Model
    module: nn.Module
    pca_weights: dict | None = None
    is_resumed: bool = False

    @property
    def optimizer_state(self):
        return self.model.optimizer_state


def resumed(recipe, settings, earlier):
    """An earlier model, to go on from.

    Raises
    ------
    ValueError
        If its weights don't fit the recipe.
    """
    wanted = settings.n_components
    if wanted >= 1 and wanted != earlier.n_components:
        raise ValueError(
            f"n_components={wanted} cannot go on from a fit with "
            f"{earlier.n_components}: set warm_start=False, or fit a new estimator."
        )
    model = earlier.replaced(recipe=recipe)
    try:
        module = model.build()
    except RuntimeError as error:
        raise ValueError(
            f"code_map={list(recipe.code_maps)} cannot take the weights of a fit with "
            f"{list(earlier.recipe.code_maps)}: set warm_start=False."
        ) from error
    recipe.penalty.check(module)
    return Start(model, module, is_resumed=True)


def fresh(recipe, data, baseline, objective, settings, seed, seeds, journal):
    """A new module, random or at PCA.

    Parameters
    ----------
    recipe : Recipe
    data : TrainingData
    baseline : Baseline
    objective : Objective
    settings : Settings
    seed : int
        Of the model.
    seeds : tuple of ints
        Of the training.
    journal : Journal
        In which trainings are kept.

    Returns
    -------
    start : Start
    """
    wanted, pca = settings.n_components, baseline.pca
    n_components = int(wanted) if wanted >= 1 else len(pca.components)
    recipe = recipe.for_codes_of(n_components)
    if settings.init == "layerwise":
        check_is_layered(recipe.network)
    model = Model(recipe, n_components, data.scaling, seed)
    start = _started(model, data, baseline, objective, settings.init)
    recipe.penalty.check(start.module)
    if settings.init == "layerwise":
        pretrain(start.module, data, recipe, settings, seeds, journal)
    return start


def warn_of(start, data, baseline, settings):
    """Warn of what a start can't do well with rows."""
    _warn_of_size(start.model, data, settings.is_incremental)
    _warn_of_scales(settings, baseline.pca, data)
    if not start.model.recipe.is_known:
        _warn_of_dependence(start)


def _warn_of_size(model, data, is_incremental):
    n_components, recipe = model.n_components, model.recipe
    n_rows, n_features = data.all.rows.shape
    n_nonzeros = recipe.n_nonzeros(n_components)
    if n_components > n_features and not recipe.is_constrained:
        # Of a table they are more than its columns: there is one for each level.
        what = "features" if recipe.layout is None else "encoded columns"
        warn(
            f"n_components={n_components} is more than the {n_features} {what} of X "
            "and nothing else constrains the code: the network can learn the identity. "
            "Use fewer components, a corruption or a penalty."
        )
    elif n_features <= n_nonzeros < n_components:
        warn(
            f"k={n_nonzeros} components of each code are nonzero, no fewer than the "
            f"{n_features} features of X: the network can learn the identity. Use a "
            "smaller k."
        )
    elif n_features >= n_components > n_rows and not (
        recipe.is_constrained or is_incremental
    ):
        warn(
            f"n_components={n_components} is more than the {n_rows} rows of X, which "
            "determine no more principal components than that: the others are zero "
            "where PCA is kept. Use fewer components."
        )


def _warn_of_dependence(start):
    """Warn where rows of a user's network depend on those beside them."""
    model = start.model.replaced(weights=as_arrays(start.module.state_dict()))
    found = model.find_dependence("cpu")
    if found is None:
        return
    head = f"Codes of network={model.recipe.network!r} depend on the rows beside them"
    if found.difference > _ROUNDING:
        warn(
            f"{head}: {found.operation} gives a row another result beside other rows, "
            f"by up to {found.difference:.2g} standard deviations, so that a row alone "
            "gets another code than in a batch. Compute means, norms and attention "
            "within each row (dim=1, not dim=0), or with running statistics in "
            "evaluation mode."
        )
    else:
        warn(
            f"{head} in the last digits, by up to {found.difference:.1g} standard "
            f"deviations: {found.operation} rounds in ways that depend on where a row "
            "is. Codes of equal rows may differ by as much; nothing else is wrong."
        )


def _warn_of_scales(settings, pca, data):
    """Warn where a share of the variance is that of one feature."""
    if settings.n_components >= 1 or len(pca.components) > 1:
        return
    variance = data.all.rows.var(0, correction=0)
    share, column = (float(value) for value in (variance / variance.sum()).max(0))
    if len(variance) > 2 and share > 0.5:
        warn(
            f"n_components={settings.n_components} chose a single component, since "
            f"column {int(column)} alone has {share:.0%} of the variance of X: scale "
            "the features first, for example with StandardScaler, or pass a number of "
            "components."
        )


def pca_weights(model, data, baseline, objective, init):
    """Weights with which a model is PCA, as :func:`fresh` finds them."""
    return _started(model, data, baseline, objective, init).pca_weights


def _started(model, data, baseline, objective, init):
    module, network = model.build(), model.recipe.network
    if module.is_tied and init == "pca":
        raise ValueError(
            "init='pca' starts with networks that add nothing, which tied weights "
            "cannot leave: use init='random' or tied_weights=False."
        )
    inner, read = module.bare, module.reader or nn.Identity()
    if module.reader is not None:
        module.reader.learn(
            baseline.filling, objective.seen(data.all.head(_BINNED_ROWS))
        )
    if not inner.can_be_pca:
        if init == "pca":
            raise ValueError(
                "init='pca' sets linear maps, but there are none beside those of "
                f"network={network!r}: use linear_path=True or init='random'."
            )
        return Start(model, module)
    given, pca = cloned_state(module), baseline.pca
    head = data.all.head(HEAD_ROWS)
    generator = torch.Generator(data.device).manual_seed(model.seed)
    seen = objective.corrupt(head, generator)
    with PrivateRandomness(generator):
        module.to(data.device)
        target = objective.target(head.rows)
        decoder = _linear_decoder(pca, seen, target, objective.loss)
        become_pca(inner, pca, decoder, read(seen))
        if model.recipe.is_probabilistic:
            rows = baseline.rows[data.n_held_out :][:HEAD_ROWS]
            become_probabilistic(module, pca, Batch(rows).dense().rows)
        pca_weights = cloned_state(module)
        if init != "pca" and network.is_known:
            _randomise(inner)
        elif init != "pca":
            module.load_state_dict(given)
    # Codes that pass through another map are not PCA's.
    is_pca = not model.recipe.code_maps or model.recipe.is_probabilistic
    return Start(model, module.cpu(), pca_weights if is_pca else None)


@torch.no_grad()
def become_pca(module, pca, decoder, rows):
    """Make a module PCA: its maps in the linear maps, and networks that add nothing.

    Parameters
    ----------
    module : EncoderDecoder
    pca : PrincipalComponents
        With up to n_components components. What the code has room for beyond them is
        zero, or random directions that the decoder ignores where the code is larger
        than the rows.
    decoder : tuple of two Tensors
        Weight (d, k) and bias (d,) that decode PCA's codes.
    rows : Tensor of shape (n, n_inputs)
        As the network will see them, to measure the codes; what tells of missing cells
        comes after the features.
    """
    encode, decode = linear_map(module.encoder), linear_map(module.decoder)
    k, n_features = pca.components.shape
    nn.init.normal_(encode.weight, std=n_features**-0.5)
    if len(encode.weight) <= n_features:
        encode.weight.zero_()
    encode.weight[:k, :n_features] = pca.components
    encode.weight[:k, n_features:] = 0
    encode.bias.copy_(-encode.weight[:, :n_features] @ pca.mean)
    weight, bias = decoder
    decode.weight.zero_()
    decode.weight[:, :k] = weight
    decode.bias.copy_(bias)
    for half in (module.encoder, module.decoder):
        if isinstance(half, LinearPath):
            _silence(weighted_layers(half)[-1])
    # The networks see and add codes of unit variance, but for those that hardly vary.
    deviation = encode(rows).std(0, correction=0)
    deviation = deviation.clamp(min=0.01 * float(deviation.max().clamp(min=1)))
    if module.out_factor is not None:
        module.out_factor.copy_(deviation)
    if module.in_factor is not None:
        module.in_factor.copy_(1 / deviation)


@torch.no_grad()
def _randomise(module):
    """Make a module that is PCA random networks beside linear maps that add nothing.

    The scales of PCA's codes stay.
    """
    for half in (module.encoder, module.decoder):
        if isinstance(half, LinearPath):
            _silence(half.linear)
            weighted_layers(half)[-1].reset_parameters()
        else:
            linear_map(half).reset_parameters()


def _silence(layer):
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)


def _linear_decoder(pca, rows, target, loss):
    """Weight (d, k) and bias (d,) of a linear decoder for PCA's codes of rows (n, d).

    PCA's own, unless raw output is of another kind than rows, such as log-odds.
    """
    if loss.curvature is None:
        return pca.components.T, pca.mean
    # Logistic regression of every feature on the codes. The Hessian is at most the
    # curvature times the design's Gram matrix, so that stepping with its inverse never
    # raises the loss, and one inverse serves all features (Boehning and Lindsay, 1988,
    # doi:10.1007/BF00049423).
    code = pca.encode(rows.nan_to_num(0.0))
    design = torch.cat([code, code.new_ones(len(code), 1)], 1)  # (n, k + 1)
    gram = design.double().T @ design.double()
    inverse = torch.linalg.pinv(gram, hermitian=True).to(code.dtype)
    curvature = torch.as_tensor(loss.curvature, dtype=code.dtype, device=code.device)
    beta = code.new_zeros(design.shape[1], target.shape[1])  # (k + 1, d)
    for _ in range(100):
        gradient = design.T @ (target - loss.expected(design @ beta))
        beta += inverse @ gradient / curvature
    return beta[:-1].T, beta[-1]
