"""The autoencoders of a detector: as given, or small ones."""

from sklearn.base import clone

from skae._estimators.denoising import DenoisingAutoencoderTransformer

# The default autoencoder: small, since neighbors and cuts see what it misses.
_DEFAULTS = {
    "hidden_layer_sizes": (64,),
    "noise_level": 0.5,
    "linear_path": True,
    "init": "pca",
    "learning_rate": 0.015,
    "max_iter": 15,
}


def new_autoencoder(autoencoder, n_features, seed):
    """An autoencoder to be fitted to rows of a number of features.

    Parameters
    ----------
    autoencoder : estimator or None
        To be cloned; None is the default one.
    n_features : int
    seed : int
        Of what has no random state of its own.

    Returns
    -------
    autoencoder : estimator
    """
    if autoencoder is None:
        return DenoisingAutoencoderTransformer(
            max(1, round(n_features / 2)), **_DEFAULTS, random_state=seed
        )
    autoencoder = clone(autoencoder)
    if autoencoder.get_params().get("random_state", 0) is None:
        autoencoder.set_params(random_state=seed)
    return autoencoder
