"""The plain autoencoder, with any loss, penalty, corruption and network."""

from skae._estimators.base import BaseAutoencoder
from skae._utils.stored import stored


@stored()
class AutoencoderTransformer(BaseAutoencoder):
    """Nonlinear dimensionality reduction by an autoencoder that has to beat PCA.

    An encoder network compresses each row to a code of `n_components` numbers, from
    which a decoder network reconstructs it [3]_. Distances between codes are about
    those between reconstructions, as for PCA. With the defaults, PCA of the same code
    size is kept where training finds nothing better.

    Multiplying X by a constant multiplies codes and reconstructions by it; shifting X
    shifts the reconstructions. As for PCA, features of different units should be
    scaled first, for example by :class:`~sklearn.preprocessing.StandardScaler`.

    Parameters
    ----------
    n_components : int or float in (0, 1), default=0.95
        Size of the code. A share is turned into as many components as PCA needs to
        explain more than that share of the variance.
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
    penalty : Penalty or callable, default=None
        What constrains the code, such as :class:`skae.penalties.L1`, or any callable
        ``(network, X, code, output) -> scalar``.
    corruption : Corruption, callable or list of these, default=None
        What is done to the rows that the network reads while training, such as
        :class:`skae.corruptions.Masking`, or any callable ``(X, generator) -> X``; of
        a list, one after the other.
    code_map : CodeMap, callable or list of these, default=None
        What codes pass through, such as :class:`skae.code_maps.TopK`, or any callable
        ``n_components -> module``; of several, one after the other.
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

    See Also
    --------
    DenoisingAutoencoderTransformer : Learns to undo noise.
    sklearn.decomposition.PCA : The best linear autoencoder.

    References
    ----------
    .. [1] Loshchilov, I., Hutter, F. (2019). Decoupled weight decay regularization.
       ICLR. https://arxiv.org/abs/1711.05101
    .. [2] Smith, L. N., Topin, N. (2019). Super-convergence: very fast training of
       neural networks using large learning rates. SPIE 11006.
       :doi:`10.1117/12.2520589`
    .. [3] Hinton, G. E., Salakhutdinov, R. R. (2006). Reducing the dimensionality of
       data with neural networks. Science 313. :doi:`10.1126/science.1127647`

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from skae import AutoencoderTransformer
    >>> X, _ = load_digits(return_X_y=True)
    >>> autoencoder = AutoencoderTransformer(n_components=16, random_state=0).fit(X)
    >>> autoencoder.transform(X).shape
    (1797, 16)
    >>> min(autoencoder.validation_loss_curve_) < 0.6 * autoencoder.pca_loss_
    True
    """

    _parameter_constraints = {
        **BaseAutoencoder._parameter_constraints,
        "penalty": [callable, None],
        "corruption": [callable, list, None],
        "code_map": [callable, list, tuple, None],
    }

    def __init__(
        self,
        n_components=0.95,
        *,
        hidden_layer_sizes=(256, 128),
        activation="gelu",
        network=None,
        linear_path=True,
        init="random",
        loss="squared_error",
        categorical_features="from_dtype",
        penalty=None,
        corruption=None,
        code_map=None,
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
        self.penalty = penalty
        self.corruption = corruption
        self.code_map = code_map

    def _make_penalty(self):
        return self.penalty

    def _make_corruption(self):
        return self.corruption

    def _make_code_map(self):
        return self.code_map
