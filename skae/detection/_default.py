"""The autoencoders of a detector: as given, or small ones."""

from skae._estimators.denoising import DenoisingAutoencoderTransformer
from skae._utils.random import seeded_clone
from skae.corruptions import Missing

# The default autoencoder: small, since neighbors and cuts see what it misses.
_DEFAULTS = {
    "hidden_layer_sizes": (64,),
    "noise": "gaussian",
    "noise_level": 0.5,
    "linear_path": True,
    "init": "pca",
    "learning_rate": 0.015,
    "max_iter": 15,
    # Once: each row is held out from one of the autoencoders anyway.
    "validation_fraction": 0.1,
}
# That of tables learns to expect cells that it can't see.
_DEFAULTS_OF_TABLES = {
    "n_components": 32,
    "hidden_layer_sizes": (64,),
    "linear_path": False,
    "corruption": Missing(0.6),
}


def new_autoencoder(autoencoder, n_features, seed, **params):
    """An autoencoder to be fitted to rows, or to those of a table.

    Parameters
    ----------
    autoencoder : estimator or None
        To be cloned; None is the default one.
    n_features : int or None
        Of rows of numbers; None is for a table with categories or dates.
    seed : int
        Of what has no random state of its own.
    **params : dict
        Other parameters to set, where it has them.

    Returns
    -------
    autoencoder : estimator
    """
    if autoencoder is None and n_features is None:
        autoencoder = DenoisingAutoencoderTransformer(**_DEFAULTS_OF_TABLES)
    elif autoencoder is None:
        n_components = max(1, round(n_features / 2))
        autoencoder = DenoisingAutoencoderTransformer(n_components, **_DEFAULTS)
    return seeded_clone(autoencoder, seed, **params)
