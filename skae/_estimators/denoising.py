"""The denoising autoencoder: corrupted rows in, clean rows out."""

from numbers import Real

import numpy as np

from skae._estimators.base import BaseAutoencoder
from skae._utils.compat import Interval, StrOptions
from skae._utils.stored import stored
from skae.corruptions import NoisyMasking
from skae.corruptions._noises import NOISES


@stored()
class DenoisingAutoencoderTransformer(BaseAutoencoder):
    """Features and reconstructions that are robust to noise.

    A denoising autoencoder [3]_ reads corrupted rows and learns to return the clean
    ones. The codes are features for other estimators that often classify better than
    those of a plain autoencoder; the default corruption is strong, and chosen for them.
    ``reconstruct(X_noisy)`` is the denoised X: to remove damage, name its kind and its
    level. Noise is added in training only: results for given rows are free of it.

    Parameters
    ----------
    n_components : int or float in (0, 1), default=0.95
        Size of the code. A share is turned into as many components as PCA needs to
        explain more than that share of the variance.
    noise : {"gaussian", "masking", "missing", "noisy_masking", "salt_and_pepper", \
            "swap"}, default="noisy_masking"
        What is done to the rows that the network reads while training; see
        :mod:`skae.corruptions`. Not used with `corruption`.
    noise_level : float or array-like of shape (n_features,), default=None
        Standard deviation of Gaussian noise, in global standard deviations of X; or
        share of the cells that other kinds of noise replace; for all features or for
        each. None is the kind's own: 1.0, 0.5, 0.6, 0.5, 0.1 and 0.15 in the order
        above.
        Not used with `corruption`.
    corruption : Corruption, callable or list of these, default=None
        Any other corruption, or callable ``(X, generator) -> X``, in place of `noise`;
        of a list, one after the other.
    hidden_layer_sizes : int or array-like of ints, default=(256, 128)
        Widths of the encoder's hidden layers; the decoder has them in reverse. ``()``
        is a linear autoencoder. Not used with `network`.
    activation : {"identity", "logistic", "tanh", "relu", "silu", "gelu", "elu", \
            "leaky_relu"}, default="gelu"
        Activation of the hidden layers. Not used with `network`.
    network : callable, default=None
        A network of your own: ``(n_features, n_components) -> module``, with ``encode``
        and ``decode``; see :doc:`/network`. None is :class:`skae.networks.MLP`.
    linear_path : bool, "encoder" or "auto", default="auto"
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
    learning_rate : float or "auto", default=0.005
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

    See Also
    --------
    AutoencoderTransformer : Without noise.

    References
    ----------
    .. [1] Loshchilov, I., Hutter, F. (2019). Decoupled weight decay regularization.
       ICLR. https://arxiv.org/abs/1711.05101
    .. [2] Smith, L. N., Topin, N. (2019). Super-convergence: very fast training of
       neural networks using large learning rates. SPIE 11006.
       :doi:`10.1117/12.2520589`
    .. [3] Vincent, P., Larochelle, H., Lajoie, I., Bengio, Y., Manzagol, P.-A. (2010).
       Stacked denoising autoencoders. JMLR 11.
       https://jmlr.org/papers/v11/vincent10a.html

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from skae import DenoisingAutoencoderTransformer
    >>> X, _ = load_digits(return_X_y=True)
    >>> denoiser = DenoisingAutoencoderTransformer(
    ...     n_components=16, noise="gaussian", noise_level=0.7, random_state=0
    ... )
    >>> denoiser = denoiser.fit(X[:1500])
    >>> noise = np.random.default_rng(0).normal(scale=3.0, size=X[1500:].shape)
    >>> X_denoised = denoiser.reconstruct(X[1500:] + noise)
    >>> bool(np.square(X_denoised - X[1500:]).mean() < 0.5 * np.square(noise).mean())
    True
    """

    _parameter_constraints = {
        **BaseAutoencoder._parameter_constraints,
        "noise": [StrOptions(set(NOISES))],
        "noise_level": [Interval(Real, 0, None, closed="left"), "array-like", None],
        "corruption": [callable, list, None],
    }

    _n_passes = 50

    @property
    def _linear_path(self):
        # A map beside the decoder removes more damage, and lets PCA be a candidate; it
        # also draws codes to PCA's, of which some are worse features.
        is_for_features = isinstance(self._make_corruption(), NoisyMasking)
        if self.linear_path == "auto" and is_for_features:
            return "encoder"
        return super()._linear_path

    def __init__(
        self,
        n_components=0.95,
        *,
        noise="noisy_masking",
        noise_level=None,
        corruption=None,
        hidden_layer_sizes=(256, 128),
        activation="gelu",
        network=None,
        linear_path="auto",
        init="random",
        loss="squared_error",
        categorical_features="from_dtype",
        learning_rate=5e-3,
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
        self.noise = noise
        self.noise_level = noise_level
        self.corruption = corruption

    def _make_corruption(self):
        if self.corruption is not None:
            return self.corruption
        if self.noise_level is None:
            return NOISES[self.noise]()
        if np.size(self.noise_level) == 0:
            raise ValueError(
                f"noise_level={self.noise_level!r}, but a number was expected, or one "
                "for each feature."
            )
        if self.noise != "gaussian" and np.max(self.noise_level) > 1:
            raise ValueError(
                f"noise_level={self.noise_level!r}, but for noise={self.noise!r} it is "
                "a share of the cells, from 0 to 1."
            )
        return NOISES[self.noise](self.noise_level)
