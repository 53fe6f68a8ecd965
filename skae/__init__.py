"""Autoencoders as scikit-learn transformers, trained by PyTorch through skorch."""

from skae import corruptions as corruptions
from skae import losses as losses
from skae import networks as networks
from skae import penalties as penalties
from skae import windows as windows
from skae._autoencoder import AutoencoderTransformer
from skae._contractive import ContractiveAutoencoderTransformer
from skae._denoising import DenoisingAutoencoderTransformer
from skae._outlier import AutoencoderOutlierDetector
from skae._sparse import SparseAutoencoderTransformer
from skae._variational import VariationalAutoencoderTransformer

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
