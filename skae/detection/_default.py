"""The autoencoders of a detector: as given, or small ones."""

from sklearn.base import clone

from skae._estimators.denoising import DenoisingAutoencoderTransformer
from skae.corruptions import Missing

# The default autoencoder: small, since neighbors and cuts see what it misses.
_DEFAULTS = {
    "hidden_layer_sizes": (64,),
    "noise_level": 0.5,
    "linear_path": True,
    "init": "pca",
    "learning_rate": 0.015,
    "max_iter": 15,
}
# That of tables learns to expect cells that it can't see.
_DEFAULTS_OF_TABLES = {
    "n_components": 32,
    "hidden_layer_sizes": (64,),
    "corruption": Missing(0.6),
}


def categories(autoencoder, categorical_features):
    """Which columns are categories: as the detector says, or else its autoencoder."""
    is_default = (
        isinstance(categorical_features, str) and categorical_features == "from_dtype"
    )
    if not is_default:
        return categorical_features
    return getattr(autoencoder, "categorical_features", categorical_features)


def new_table_autoencoder(autoencoder, categorical_features, seed):
    """An autoencoder to be fitted to rows of a table with categories or dates.

    Parameters
    ----------
    autoencoder : estimator or None
        To be cloned; None is the default one.
    categorical_features : "from_dtype", array-like of str, int or bool, or None
        As of :func:`categories`.
    seed : int
        Of what has no random state of its own.

    Returns
    -------
    autoencoder : estimator
    """
    if autoencoder is None:
        made = DenoisingAutoencoderTransformer(**_DEFAULTS_OF_TABLES, random_state=seed)
    else:
        made = new_autoencoder(autoencoder, None, seed)
    if "categorical_features" in made.get_params(deep=False):
        made.set_params(categorical_features=categorical_features)
    return made


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
