"""From an estimator's parameters and rows to a trained model."""

import warnings

import numpy as np
import torch
from sklearn.base import clone

from skae._codes import CodeMap, bare, with_maps_of
from skae._device import training_device
from skae._halves import EncoderDecoder
from skae._layerwise import check_is_layered, pretrain
from skae._mlp import MLP
from skae._model import Model
from skae._net import train
from skae._objective import Objective
from skae._part import Part, is_known
from skae._pca import principal_components
from skae._random import PrivateRandomness, new_seed
from skae._rows import check_bounds, shift_and_scale, standardise
from skae._training import Training, as_arrays
from skae.losses import LOSSES
from skae.penalties import Penalty

# Rows that the start at PCA is measured on.
_START_ROWS = 2048


class Fitting:
    """One fit: an estimator's parameters, resolved; the estimator is only read.

    Parameters
    ----------
    estimator : BaseAutoencoder
    incremental : bool, default=False
        One epoch on all rows at a constant learning rate, instead of a whole training.

    Raises
    ------
    TypeError, ValueError
        If a part of the estimator is not what it should be.
    """

    def __init__(self, estimator, incremental=False):
        self.estimator = estimator
        self.incremental = incremental
        self.penalty = estimator._make_penalty()
        self.corruption = estimator._make_corruption()
        # Later changes of the parameters must not reach into a fitted model.
        network = clone(estimator.network, safe=False)
        if network is None:
            network = self._default_network()
        self.network = estimator._make_network(network)
        while isinstance(self.network, CodeMap) and self.network.is_neutral:
            self.network = self.network.inner
        self.loss = clone(estimator.loss, safe=False)
        if isinstance(self.loss, str):
            self.loss = LOSSES[self.loss]()
        networks = [self.network]
        while isinstance(networks[-1], CodeMap):
            networks.append(networks[-1].inner)
        for part in (self.loss, self.penalty, self.corruption, *networks):
            if isinstance(part, Part):
                part._validate_params()
            if isinstance(part, type) and issubclass(part, Part):
                raise TypeError(
                    f"{part.__name__} was given as a class, but an object was "
                    f"expected, such as {part.__name__}()."
                )
        if isinstance(network, torch.nn.Module):
            raise TypeError(
                f"network is an instance of {type(network).__name__}: pass the class "
                "or a function that makes it, so that each fit starts anew."
            )
        if estimator.init == "layerwise":
            check_is_layered(self.network)
        if getattr(self.penalty, "is_neutral", False):
            self.penalty = None
        if getattr(self.corruption, "is_neutral", False):
            self.corruption = None

    @torch.inference_mode(mode=False)
    @torch.enable_grad()
    def run(self, X, earlier, done):
        """Train a new model, or go on from an earlier one.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features), float32 or float64
        earlier : Model or None
        done : int
            Epochs that the earlier model was trained for.

        Returns
        -------
        model : Model
        trained : Trained
        pca_loss : float or None
            None where an earlier figure stays, in incremental training.
        """
        estimator = self.estimator
        check_bounds(X, self.loss, estimator.loss)
        if earlier is not None and earlier.loss.bounds != self.loss.bounds:
            raise ValueError(
                f"loss={estimator.loss!r} cannot go on from a fit with {earlier.loss!r}"
                ", whose output means something else: set warm_start=False."
            )
        device = training_device(estimator.device)
        seed = new_seed(estimator.random_state) if earlier is None else earlier.seed
        seeds = np.random.SeedSequence((seed, done)).generate_state(3).tolist()

        shift, scale = _shift_and_scale(X, earlier)
        # A fit that goes on holds out the same rows again.
        order = np.random.default_rng(seed).permutation(len(X))
        rows = standardise(X, shift, scale, order).to(device)
        n_valid = self._n_valid(len(X))
        train_rows, valid_rows = rows[n_valid:], rows[:n_valid] if n_valid else None
        objective = self.objective(self.loss, shift, scale).to(device)
        objective.epochs_done = done

        pca_loss = None
        if earlier is None or not self.incremental:
            wanted = (earlier or estimator).n_components
            pca = principal_components(rows, wanted, seed)
            pca_loss = objective.of_pca(pca, valid_rows if n_valid else train_rows)
        if earlier is None:
            n_components = int(wanted) if wanted >= 1 else len(pca.components)
            model = self._new_model(n_components, shift, scale, seed)
            module, as_pca = self._new_module(model, pca, rows, objective)
        else:
            network = with_maps_of(self.network, earlier.network)
            model = earlier.with_state(network=network)
            module, as_pca = _built(model, earlier), None
        if isinstance(self.penalty, Penalty):
            self.penalty.check(module)
        training = self._training(len(train_rows), earlier is not None, device, seeds)
        if earlier is None and estimator.init == "layerwise":
            outermost = Objective(self.loss, None, self.corruption, shift, scale)
            pretrain(module, train_rows, valid_rows, outermost.to(device), training)
        trained = train(
            module, train_rows, valid_rows, objective, training, model.moments, as_pca
        )
        model = model.with_state(
            loss=self.loss,
            weights=trained.weights,
            moments=trained.moments if self.incremental else None,
        )
        if not self.incremental and trained.best_iter > 0:
            model = self._with_scaled_codes(model, train_rows[:_START_ROWS].cpu())
        return model, trained, pca_loss

    def objective(self, loss, shift, scale):
        return Objective(loss, self.penalty, self.corruption, shift, scale)

    def _n_valid(self, n_samples):
        """How many rows are held out to choose the best epoch on."""
        if self.incremental or not self.estimator.early_stopping:
            return 0
        fraction = self.estimator.validation_fraction
        if fraction == "auto":
            # Few rows don't tell a gain from chance; too many are missed in training.
            fraction = min(max(0.1, 100 / n_samples), 0.2)
        wanted = round(fraction * n_samples)
        return min(max(1, wanted), n_samples - 1)

    def _new_model(self, n_components, shift, scale, seed):
        constrained = (
            self.penalty is not None
            or self.corruption is not None
            or isinstance(self.network, CodeMap)
        )
        if n_components > len(shift) and not constrained:
            warnings.warn(
                f"n_components={n_components} is more than the {len(shift)} features "
                "of X and nothing else constrains the code: the network can learn "
                "the identity. Use fewer components, a corruption or a penalty.",
                UserWarning,
                stacklevel=8,  # the line that called fit
            )
        return Model(self.network, n_components, self.loss, shift, scale, seed)

    def _default_network(self):
        estimator = self.estimator
        widths = estimator.hidden_layer_sizes
        if isinstance(widths, np.ndarray):
            widths = widths.tolist()  # a model holds plain values
        return MLP(widths, estimator.activation, estimator.linear_path)

    def _new_module(self, model, pca, rows, objective):
        """A fresh module, and the weights with which it is PCA, if it can be."""
        module = model.build()
        inner = bare(module)
        is_tied = isinstance(inner, EncoderDecoder) and inner.is_tied
        if is_tied and self.estimator.init == "pca":
            raise ValueError(
                "init='pca' starts with networks that add nothing, which tied weights "
                "cannot leave: use init='random' or tied_weights=False."
            )
        if not getattr(inner, "can_be_pca", False):
            if self.estimator.network is None and self.estimator.init == "pca":
                raise ValueError(
                    "init='pca' sets linear maps, but linear_path=False leaves the "
                    "network without: use linear_path=True or init='random'."
                )
            return module, None
        given = {name: v.clone() for name, v in module.state_dict().items()}
        head = rows[:_START_ROWS]
        generator = torch.Generator(rows.device).manual_seed(model.seed)
        seen = objective.corrupt(head, generator)
        with PrivateRandomness(generator):
            module.to(rows.device)
            inner.start_at_pca(pca, seen, objective.target(head), objective.loss)
            as_pca = {name: v.clone() for name, v in module.state_dict().items()}
            if self.estimator.init != "pca" and is_known(bare(self.network)):
                inner.leave_pca()
            elif self.estimator.init != "pca":
                module.load_state_dict(given)
        return module.cpu(), as_pca if module is inner else None

    def _with_scaled_codes(self, model, rows):
        """The model with codes as far from each other as their reconstructions.

        As for PCA; but training leaves codes in any scale, and each in its own. A
        penalty may want them where they are, and only of our own networks we know
        what their layers are for.
        """
        if self.penalty is not None or not is_known(model.network):
            return model
        module = model.build().eval()
        if module.is_tied:
            return model  # no matrix can be undone in the transposed weight
        with torch.no_grad():
            code = module.encode(rows)
            output = module.decode(code)
        data = model.loss.to_data(output, torch.tensor(model.shift), model.scale)
        module.map_codes(_metric_root(code.double(), data / model.scale))
        return model.with_state(
            loss=model.loss, weights=as_arrays(module.state_dict()), moments=None
        )

    def _training(self, n_samples, goes_on, device, seeds):
        estimator = self.estimator
        return Training(
            max_iter=1 if self.incremental else estimator.max_iter,
            batch_size=_batch_size(estimator.batch_size, n_samples),
            learning_rate=estimator.learning_rate,
            weight_decay=estimator.weight_decay,
            one_cycle=not self.incremental,
            n_iter_no_change=estimator.n_iter_no_change,
            tol=estimator.tol,
            goes_on=goes_on,
            callbacks=estimator.callbacks or [],
            verbose=estimator.verbose,
            device=device,
            seeds=seeds,
        )


def _built(model, earlier):
    """A module with the weights of an earlier model."""
    try:
        return model.build()
    except RuntimeError as error:
        raise ValueError(
            f"network={model.network!r} cannot take the weights of a fit with "
            f"{earlier.network!r}: set warm_start=False."
        ) from error


def _shift_and_scale(X, earlier):
    return shift_and_scale(X) if earlier is None else (earlier.shift, earlier.scale)


def _metric_root(code, data):
    """The matrix (k, k) that gives codes the distances of what they stand for.

    In least squares: with V (k, d) the linear regression of the data on the codes,
    the symmetric root of V V'. The identity where codes are PCA's scores.
    """
    code, data = code - code.mean(0), (data - data.mean(0)).double()
    # Codes were computed in single precision: what is below it is no direction.
    solution = torch.linalg.lstsq(code, data, rcond=1e-5, driver="gelsd")
    slopes = solution.solution  # (k, d)
    values, vectors = torch.linalg.eigh(slopes @ slopes.T)
    largest = float(values[-1])
    if not largest > 0:
        return torch.eye(len(values))
    # Directions that stand for next to nothing stay part of the code.
    values = values.clamp(min=1e-4 * largest)
    return (vectors * values.sqrt() @ vectors.T).float()


def _batch_size(batch_size, n_samples):
    """The batch size; "auto" is the power of two nearest to 3 * sqrt(n_samples)."""
    if batch_size == "auto":
        return int(np.clip(2 ** round(np.log2(3 * n_samples**0.5)), 32, 4096))
    return batch_size
