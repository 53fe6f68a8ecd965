"""The sparse autoencoder: many components, few of them at a time."""

from itertools import islice
from numbers import Integral, Real

import numpy as np

from skae._estimators.base import BaseAutoencoder
from skae._estimators.sparse_output import SparseOutput
from skae._recipe import is_of_rows
from skae._training.data import CHUNK_ROWS
from skae._utils.checks import number
from skae._utils.compat import Interval, StrOptions
from skae._utils.device import inference_device
from skae._utils.stored import stored
from skae.code_maps import Refinement, Sigmoid, SoftThreshold, TopK
from skae.losses._losses import as_loss
from skae.penalties import L1, BernoulliKL

# Chunks of rows whose codes tell which components are dead.
_MOST_CHUNKS = 4


@stored(dead_fraction_=number)
class SparseAutoencoderTransformer(SparseOutput, BaseAutoencoder):
    """Readable features: many components, of which few are active in each row.

    A sparse autoencoder describes each row by a few components out of many, often more
    than there are features, so that each can stand for something of its own [3]_. By
    default encoder and decoder are linear but for what makes the codes sparse, and each
    component's part in the reconstruction is one vector: a column of what
    ``decoder_`` multiplies codes by, the dictionary.

    Training starts at random maps. PCA's codes are dense, so that it is no candidate
    for the best epoch, and to start there would keep as many components as PCA has;
    ``init="pca"`` does so. Epochs are trained and chosen with the encoder's codes;
    those of a fitted transformer are refined.

    Parameters
    ----------
    n_components : int or float in (0, 1), default=256
        Size of the code. A share is turned into as many components as PCA needs to
        explain more than that share of the variance.
    sparsity : {"l1", "kl", "top_k"}, default="top_k"
        How codes are made sparse. "top_k" keeps the `k` largest components of each code
        (:class:`skae.code_maps.TopK`). "l1" lets each row decide how many: it penalises
        their mean absolute value and passes them through a soft threshold of `alpha`
        (:class:`skae.penalties.L1`, :class:`skae.code_maps.SoftThreshold`), which
        shrinks what is left, so that its error is well above that of "top_k" unless
        codes are refined. "kl" has codes between 0 and 1, each component of which is
        to be `rho` in the mean (:class:`skae.penalties.BernoulliKL`,
        :class:`skae.code_maps.Sigmoid`).
    alpha : float, default=None
        Strength of the penalty, 0 is none at all, and the soft threshold. None is 1 for
        "l1", of which a little leaves codes dense, and 30 for "kl", which holds means
        near `rho`. Not used with "top_k".
    rho : float in (0, 1), default=0.05
        Target for the mean of each component. Only used with "kl".
    k : int, default=None
        Nonzero components of each code. None is an eighth of the components, or a
        quarter of the features if these are fewer, at least one. Only with "top_k".
    positive : bool or "auto", default="auto"
        Whether components are kept only if positive, so that they add to a row and
        never take away, refined or not; otherwise the largest in magnitude are. "auto"
        is True for 16 components or more per nonzero, unless `refine` is "omp". Only
        used with "top_k".
    refine : {"auto", "least_squares", "omp"} or None, default="auto"
        How codes are improved on by the decoder (:class:`skae.code_maps.Refinement`).
        "least_squares" solves for the nonzeros that the encoder chose. "omp" also
        chooses them anew, by orthogonal matching pursuit: the lowest errors, by several
        times the time per row, and features that classifiers make less of. None are
        the encoder's codes. "auto" is "least_squares" where the decoder is linear, its
        output is rows, and those trained on have up to 64 nonzeros each; and None
        otherwise: for dense codes as of "l1" with a small `alpha`, "kl", hidden layers,
        networks of your own, "log_loss" and tables with categories.
    sparse_output : bool, default=False
        Whether `transform` returns a sparse array in CSR format.
    hidden_layer_sizes : int or array-like of ints, default=()
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
    learning_rate : float or "auto", default="auto"
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
    dead_fraction_ : float
        Share of the components that are zero for all of these rows, or the first 16,384
        of them; for "kl", that are nowhere above `rho`.

    See Also
    --------
    AutoencoderTransformer : Takes the parts of this one, in any combination.
    sklearn.decomposition.MiniBatchDictionaryLearning : Dictionaries by optimisation.

    References
    ----------
    .. [1] Loshchilov, I., Hutter, F. (2019). Decoupled weight decay regularization.
       ICLR. https://arxiv.org/abs/1711.05101
    .. [2] Smith, L. N., Topin, N. (2019). Super-convergence: very fast training of
       neural networks using large learning rates. SPIE 11006.
       :doi:`10.1117/12.2520589`
    .. [3] Makhzani, A., Frey, B. (2014). k-Sparse autoencoders. ICLR.
       https://arxiv.org/abs/1312.5663

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import SparseAutoencoderTransformer
    >>> X, _ = load_digits(return_X_y=True)
    >>> sparse = SparseAutoencoderTransformer(128, k=10, random_state=0).fit(X)
    >>> int((sparse.transform(X) != 0).sum(axis=1).max())
    10
    """

    _parameter_constraints = {
        **BaseAutoencoder._parameter_constraints,
        "sparsity": [StrOptions({"l1", "kl", "top_k"})],
        "alpha": [Interval(Real, 0, None, closed="left"), None],
        "rho": [Interval(Real, 0, 1, closed="neither")],
        "k": [Interval(Integral, 1, None, closed="left"), None],
        "positive": ["boolean", StrOptions({"auto"})],
        "refine": [StrOptions({"auto", "least_squares", "omp"}), None],
        "sparse_output": ["boolean"],
    }

    def __init__(
        self,
        n_components=256,
        *,
        sparsity="top_k",
        alpha=None,
        rho=0.05,
        k=None,
        positive="auto",
        refine="auto",
        sparse_output=False,
        hidden_layer_sizes=(),
        activation="gelu",
        network=None,
        linear_path=True,
        init="random",
        loss="squared_error",
        categorical_features="from_dtype",
        learning_rate="auto",
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
        self.sparsity = sparsity
        self.alpha = alpha
        self.rho = rho
        self.k = k
        self.positive = positive
        self.refine = refine
        self.sparse_output = sparse_output

    def _make_penalty(self):
        if self.sparsity == "l1":
            return L1(self._strength)
        return BernoulliKL(self._strength, self.rho) if self.sparsity == "kl" else None

    def _make_code_map(self):
        if self.sparsity == "kl" and self.refine not in (None, "auto"):
            raise ValueError(
                f"refine={self.refine!r} needs zeros, but codes of sparsity='kl' are "
                "nowhere zero: use refine=None or 'top_k'."
            )
        if self.sparsity == "l1":
            code_map = SoftThreshold(self._strength)
        elif self.sparsity == "kl":
            code_map = Sigmoid(self.rho)
        else:
            has_signs = self.positive == "auto" and self.refine == "omp"
            code_map = TopK(self._nonzeros, False if has_signs else self.positive)
        stays = self.refine is None or (self.refine == "auto" and not self._can_refine)
        return code_map if stays else [code_map, Refinement(self.refine)]

    @property
    def _strength(self):
        default = 30.0 if self.sparsity == "kl" else 1.0
        return default if self.alpha is None else self.alpha

    @property
    def _nonzeros(self):
        if self.k is not None or self.n_components < 1:
            return self.k  # None: of as many components as a share turns out as
        return max(1, min(self.n_components // 8, self.n_features_in_ // 4))

    @property
    def _can_refine(self):
        """Whether codes have zeros, and the decoder adds up its columns to a row."""
        has_levels = self._columns is not None and len(self._columns.layout.widths) > 0
        adds_up = is_of_rows(as_loss(self.loss)) and not has_levels
        is_linear = self.network is None and not np.size(self.hidden_layer_sizes)
        return self.sparsity != "kl" and is_linear and adds_up

    def _describe(self, X, is_incremental):
        is_alive, least = 0.0, self.rho if self.sparsity == "kl" else 0.0
        for rows in islice(X.parts(CHUNK_ROWS), _MOST_CHUNKS):
            codes = self._model.encode(rows, inference_device(self.device))
            is_alive = np.maximum(is_alive, (np.abs(codes) > least).any(axis=0))
        self.dead_fraction_ = float(1 - is_alive.mean())
