"""The contractive autoencoder: codes that small changes of a row hardly move."""

from numbers import Real

import numpy as np
import torch

from skae._estimators.base import BaseAutoencoder
from skae._sources.by_blocks import by_blocks
from skae._training.data import CHUNK_ROWS
from skae._utils.checks import array, not_required
from skae._utils.compat import Interval
from skae._utils.device import inference_device
from skae._utils.moments import Moments, sum_of
from skae._utils.sparse import dense
from skae._utils.stored import stored
from skae.penalties import Contractive, squared_jacobian_norms


@stored(code_spread_=not_required(array("f", 1)))
class ContractiveAutoencoderTransformer(BaseAutoencoder):
    """Codes that small changes of a row hardly move.

    A contractive autoencoder [3]_ is trained on its loss plus `alpha` times the squared
    derivatives of the code, each component in units of its own spread, so that codes
    that are merely small gain nothing. Only what the reconstruction needs keeps moving
    the code: the directions in which the data vary. :meth:`jacobian_norm` shows the
    contraction. Denoising is cheaper and, where the error need not be as low, moves
    codes as little and makes better features: see :doc:`/family`.

    Parameters
    ----------
    n_components : int or float in (0, 1), default=0.95
        Size of the code. A share is turned into as many components as PCA needs to
        explain more than that share of the variance.
    alpha : float, default=0.1
        Strength of the penalty. 0 is no penalty at all.
    n_projections : int, None or "auto", default="auto"
        How many random directions the derivatives are estimated by; None stands for the
        exact sum, which takes as many backward passes as there are components. "auto"
        is exact for up to 8 components, and 4 directions for more.
    hidden_layer_sizes : int or array-like of ints, default=(256, 128)
        Widths of the encoder's hidden layers; the decoder has them in reverse. ``()``
        is a linear autoencoder. Not used with `network`.
    activation : {"identity", "logistic", "tanh", "relu", "silu", "gelu", "elu", \
            "leaky_relu"}, default="gelu"
        Activation of the hidden layers. Not used with `network`.
    network : callable, default=None
        A network of your own: ``(n_features, n_components) -> module``, with ``encode``
        and ``decode``; see :doc:`/network`. None is :class:`skae.networks.MLP`.
    linear_path : bool, "encoder" or "auto", default=True
        Whether linear maps run beside the networks, so that the autoencoder can be PCA.
        Training then has to beat it, unless codes pass through a code map that is not
        Gaussian. "encoder" is a map beside the encoder alone: noise is averaged out,
        and codes are not drawn to PCA's. "auto" is True, but "encoder" where rows are
        corrupted by "noisy_masking", for codes that are features. Not used with
        `network`.
    init : {"pca", "random", "layerwise"}, default="random"
        Where training starts: at PCA, at random networks, or at these after pairs of
        mirrored layers were trained one after the other, from the outermost inwards;
        see :doc:`/how_it_works`. Networks of your own keep their initialisation with
        "random".
    loss : {"squared_error", "absolute_error", "huber", "log_loss"} or Loss, \
            default="squared_error"
        What is minimised. "log_loss" is the binary cross-entropy, for X in [0, 1].
    categorical_features : "from_dtype", array-like of str, int or bool, or None, \
            default="from_dtype"
        Which columns are categories: names, positions or a mask. "from_dtype" takes a
        DataFrame's columns of categories, text and truth values; None takes no column.
        A table with categories or dates is encoded and scaled, see :doc:`/tables`;
        numbers alone stay as they are.
    learning_rate : float or "auto", default=0.02
        Peak learning rate of AdamW [1]_. It rises to this value and falls to zero over
        the `max_iter` epochs (one cycle, [2]_); `partial_fit` uses it throughout.
        "auto" is 0.02, and less for more than 64 features, by the root of their number.
    weight_decay : float, default=0.1
        Decoupled weight decay of AdamW.
    batch_size : int or "auto", default="auto"
        Rows in a training step, about: batches of an epoch are of one size, but for one
        row. "auto" is the power of two nearest to ``3 * sqrt(n)`` for n rows to train
        on, between 32 and 512.
    max_iter : int or "auto", default="auto"
        Epochs. "auto" is 30, for denoising and variational autoencoders 50, and fewer
        over more than 15,000 rows: by the power 0.4 of their number, but three at the
        least.
    early_stopping : bool, default=True
        Whether to hold out rows, to keep the best epoch on them, and to stop when
        nothing gets better. PCA, where training has to beat it, is one of the epochs,
        and left only for a gain that is more than chance. Where folds are held out in
        turn, all rows are then trained on, for as many epochs as were best for those
        held out. If False, all rows are trained on and the last epoch is kept.
    validation_fraction : float in (0, 1) or "auto", default="auto"
        Share of the rows to hold out, once. "auto" is a tenth, or ``4 * sqrt(n)`` rows
        if these are fewer, but 100 rows at the least and a fifth at the most; of fewer
        than 1,000 rows several such folds are held out in turn, unless cells are
        hidden, or there are `callbacks`, which watch a single training. Only used with
        early stopping.
    n_iter_no_change : int, default=10
        Epochs without progress after which to stop, not counted while the learning rate
        rises. Only used with early stopping, and not in folds.
    tol : float, default=0.0001
        What counts as progress: a relative fall of the validation loss by more than
        this. Only used with early stopping.
    warm_start : bool, default=False
        Whether `fit` goes on from the earlier fit, with its shift, scale and widths,
        instead of starting anew. The earlier fit is a candidate for the best epoch;
        rows are held out once, whatever their number.
    callbacks : list of skorch callbacks, default=None
        Called while training, after the transformer's own. What they record is kept in
        the history of `net_`.
    checkpoint : str, PathLike, Checkpoints or None, default=None
        A file that keeps how far a fit has come: if the process is killed, the same fit
        in a new one goes on from there; see :doc:`/scale`. Searches need
        :class:`~skae.checkpoints.Checkpoints`.
    device : str, default="auto"
        Where to compute: "cpu", "cuda" or any other name that torch knows. "auto" is
        CUDA's GPU where there is one.
    memory_limit : int, default=1000000000
        Bytes of rows that are held in memory at once, about, where X is not in memory;
        see :doc:`/scale`. Half as many are read whole.
    random_state : int, RandomState instance or None, default=None
        Determines initial weights, the rows held out, their order and all noise. Global
        random generators are neither used nor changed.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar, 2 prints a line per epoch.

    Attributes
    ----------
    n_components_ : int
        Size of the code.
    n_features_in_ : int
        Number of features seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, where X had names that are all strings.
    n_samples_ : int
        Rows of the last call of `fit` or `partial_fit`.
    n_iter_ : int
        Epochs run.
    best_iter_ : int
        The epoch that was kept; 0 is PCA.
    loss_curve_ : list of float of length `n_iter_`
        Training loss of each epoch, with the penalty and the corruption; as all losses
        here in the units of the data, squared for "squared_error". Where folds are held
        out in turn, losses are means over their trainings.
    validation_loss_curve_ : list of float of length `n_iter_`, or None
        Loss of clean held-out rows after each epoch; None without early stopping, NaN
        for epochs of `partial_fit`. With a penalty or a corruption the best epoch is
        chosen by the loss that has them, on one fixed corrupted copy.
    pca_loss_ : float
        Loss of PCA with as many components, fitted on all rows, on the same rows as
        `validation_loss_curve_`, or on the training rows without early stopping: is the
        network worth it? Where folds are held out in turn, PCA is fitted without them
        as well.
    encoder_ : torch.nn.Module
        Rows to codes, both in the units of the data, float32 or float64; made anew each
        time.
    decoder_ : torch.nn.Module
        Codes to rows.
    net_ : skorch.NeuralNet
        The trained network in skorch, made anew each time: ``history`` is what was
        recorded in each epoch, ``predict`` reconstructs rows in the units of the data.
    code_spread_ : ndarray of shape (`n_components_`,)
        Standard deviation of each component over the rows of the last call of `fit` or
        `partial_fit`.

    See Also
    --------
    DenoisingAutoencoderTransformer : Also robust, by example, and cheaper.

    References
    ----------
    .. [1] Loshchilov, I., Hutter, F. (2019). Decoupled weight decay regularization.
       ICLR. https://arxiv.org/abs/1711.05101
    .. [2] Smith, L. N., Topin, N. (2019). Super-convergence: very fast training of
       neural networks using large learning rates. SPIE 11006.
       :doi:`10.1117/12.2520589`
    .. [3] Rifai, S., Vincent, P., Muller, X., Glorot, X., Bengio, Y. (2011).
       Contractive auto-encoders: explicit invariance during feature extraction. ICML.
       https://icml.cc/2011/papers/455_icmlpaper.pdf

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer, ContractiveAutoencoderTransformer
    >>> X, _ = load_digits(return_X_y=True)
    >>> contractive = ContractiveAutoencoderTransformer(8, random_state=0).fit(X)
    >>> contractive.jacobian_norm(X, relative=True).shape
    (1797,)
    """

    _parameter_constraints = {
        **BaseAutoencoder._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="left")],
        "n_projections": Contractive._parameter_constraints["n_projections"],
    }

    def __init__(
        self,
        n_components=0.95,
        *,
        alpha=0.1,
        n_projections="auto",
        hidden_layer_sizes=(256, 128),
        activation="gelu",
        network=None,
        linear_path=True,
        init="random",
        loss="squared_error",
        categorical_features="from_dtype",
        learning_rate=2e-2,
        weight_decay=0.1,
        batch_size="auto",
        max_iter="auto",
        early_stopping=True,
        validation_fraction="auto",
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        callbacks=None,
        checkpoint=None,
        device="auto",
        memory_limit=1_000_000_000,
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            n_components,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            network=network,
            linear_path=linear_path,
            init=init,
            loss=loss,
            categorical_features=categorical_features,
            learning_rate=learning_rate,
            weight_decay=weight_decay,
            batch_size=batch_size,
            max_iter=max_iter,
            early_stopping=early_stopping,
            validation_fraction=validation_fraction,
            n_iter_no_change=n_iter_no_change,
            tol=tol,
            warm_start=warm_start,
            callbacks=callbacks,
            checkpoint=checkpoint,
            device=device,
            memory_limit=memory_limit,
            random_state=random_state,
            verbose=verbose,
        )
        self.alpha = alpha
        self.n_projections = n_projections

    def _make_penalty(self):
        return Contractive(self.alpha, self.n_projections)

    def _describe(self, X, is_incremental):
        device = inference_device(self.device)
        parts = X.parts(CHUNK_ROWS)
        codes = (self._model.encode(dense(rows), device) for rows in parts)
        self.code_spread_ = sum_of(map(Moments.of, codes)).deviation

    def _check_loaded(self):
        super()._check_loaded()
        spread = getattr(self, "code_spread_", None)
        if spread is None:
            return
        if spread.shape != (self.n_components_,) or (spread < 0).any():
            raise ValueError("The spread of its codes is not that of its components.")

    @by_blocks
    def jacobian_norm(self, X, relative=False) -> np.ndarray:
        """Frobenius norm of the encoder's Jacobian at each row.

        The root of the summed squared derivatives of all components by all features:
        an upper bound on how far the code moves per unit of X. For PCA it is the root
        of the number of components everywhere.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Rows in the units that the transformer was fitted on.
        relative : bool, default=False
            Whether each component is measured by its spread, `code_spread_`, and the
            mean over the components taken: how much of its spread independent noise of
            standard deviation 1 in all features moves a component, about. The size of
            codes makes no difference then.

        Returns
        -------
        norms : ndarray of shape (n_samples,)
            Units of the code per unit of X, or one per unit of X.

        Raises
        ------
        NotFittedError, ValueError
            As for :meth:`transform`; or if a relative norm is wanted of a transformer
            that was saved before the spread was stored.
        """
        X, scaling = self._checked(X), self._model.scaling
        units = np.ones(self.n_components_)
        if relative and not hasattr(self, "code_spread_"):
            raise ValueError(
                "relative=True, but this transformer was saved by an earlier version, "
                "which did not store code_spread_: fit it again, or use relative=False."
            )
        if relative:  # components that never vary have no part
            spread = self.code_spread_
            np.divide(len(units) ** -0.5, spread, out=units, where=spread > 0)
            units[spread == 0] = 0
        largest = units.max() or 1.0  # in single precision its square may overflow
        factors = torch.tensor(units / largest)

        def norms(module, rows):
            # Codes with own units don't grow with the data, as others do.
            unit = 1 / scaling.scale if module.has_own_units else 1.0
            norms = squared_jacobian_norms(module, rows, factors.to(rows))
            return norms.sqrt().cpu().double() * (largest * unit)

        return self._model.apply(norms, X, (), inference_device(self.device))
