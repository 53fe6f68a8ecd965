"""Autoencoders as scikit-learn transformers, trained by PyTorch through skorch."""

from skae import code_maps as code_maps
from skae import corruptions as corruptions
from skae import detection as detection
from skae import exceptions as exceptions
from skae import losses as losses
from skae import networks as networks
from skae import penalties as penalties
from skae._estimators.autoencoder import AutoencoderTransformer
from skae._estimators.contractive import ContractiveAutoencoderTransformer
from skae._estimators.denoising import DenoisingAutoencoderTransformer
from skae._estimators.sparse import SparseAutoencoderTransformer
from skae._estimators.variational import VariationalAutoencoderTransformer
from skae.detection import AutoencoderOutlierDetector

__version__ = "0.1.0"
# Estimators only: tests and documentation discover them here.
__all__ = [
    "AutoencoderOutlierDetector",
    "AutoencoderTransformer",
    "ContractiveAutoencoderTransformer",
    "DenoisingAutoencoderTransformer",
    "SparseAutoencoderTransformer",
    "VariationalAutoencoderTransformer",
]
