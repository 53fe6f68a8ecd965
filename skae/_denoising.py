"""The denoising autoencoder: corrupted rows in, clean rows out."""

from numbers import Real

from skae._base import BaseAutoencoder
from skae._compat import Interval, StrOptions
from skae.corruptions import NOISES, Corruption


class DenoisingAutoencoderTransformer(BaseAutoencoder):
    _parameter_constraints = {
        **BaseAutoencoder._parameter_constraints,
        "noise": [StrOptions(set(NOISES))],
        "noise_level": [Interval(Real, 0, None, closed="left")],
        "corruption": [Corruption, None],
    }

    def __init__(
        self,
        n_components=0.95,
        *,
        noise="gaussian",
        noise_level=0.5,
        corruption=None,
        hidden_layer_sizes=(256,),
        activation="silu",
        network=None,
        init="pca",
        loss="squared_error",
        learning_rate=3e-3,
        weight_decay=0.0,
        batch_size="auto",
        max_iter=50,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        callbacks=None,
        device="auto",
        random_state=None,
        verbose=0,
    ):
        super().__init__(
            n_components=n_components,
            hidden_layer_sizes=hidden_layer_sizes,
            activation=activation,
            network=network,
            init=init,
            loss=loss,
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
            device=device,
            random_state=random_state,
            verbose=verbose,
        )
        self.noise = noise
        self.noise_level = noise_level
        self.corruption = corruption

    def _make_corruption(self):
        if self.corruption is not None:
            return self.corruption
        return NOISES[self.noise](self.noise_level)
