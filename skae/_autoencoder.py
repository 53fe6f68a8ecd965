"""The plain autoencoder, with any loss, penalty, corruption and network."""

from skae._base import BaseAutoencoder
from skae.corruptions import Corruption
from skae.penalties import Penalty


class AutoencoderTransformer(BaseAutoencoder):
    _parameter_constraints = {
        **BaseAutoencoder._parameter_constraints,
        "penalty": [Penalty, None],
        "corruption": [Corruption, None],
    }

    def __init__(
        self,
        n_components=0.95,
        *,
        hidden_layer_sizes=(256,),
        activation="silu",
        network=None,
        init="pca",
        loss="squared_error",
        penalty=None,
        corruption=None,
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
        self.penalty = penalty
        self.corruption = corruption

    def _make_penalty(self):
        return self.penalty

    def _make_corruption(self):
        return self.corruption
