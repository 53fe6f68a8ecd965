"""Autoencoders as scikit-learn transformers, trained by PyTorch through skorch."""

from typing import TYPE_CHECKING

from skae._names import MODULES, SUBMODULES, imported
from skae._version import __version__ as __version__

if TYPE_CHECKING:
    from skae import checkpoints as checkpoints
    from skae import code_maps as code_maps
    from skae import compression as compression
    from skae import corruptions as corruptions
    from skae import detection as detection
    from skae import exceptions as exceptions
    from skae import inference as inference
    from skae import losses as losses
    from skae import networks as networks
    from skae import penalties as penalties
    from skae import plotting as plotting
    from skae import reports as reports
    from skae._estimators.autoencoder import (
        AutoencoderTransformer as AutoencoderTransformer,
    )
    from skae._estimators.contractive import (
        ContractiveAutoencoderTransformer as ContractiveAutoencoderTransformer,
    )
    from skae._estimators.denoising import (
        DenoisingAutoencoderTransformer as DenoisingAutoencoderTransformer,
    )
    from skae._estimators.imputer import AutoencoderImputer as AutoencoderImputer
    from skae._estimators.sparse import (
        SparseAutoencoderTransformer as SparseAutoencoderTransformer,
    )
    from skae._estimators.variational import (
        VariationalAutoencoderTransformer as VariationalAutoencoderTransformer,
    )
    from skae._load import load as load
    from skae._onnx.export import to_onnx as to_onnx
    from skae.compression import Codec as Codec
    from skae.detection import AutoencoderOutlierDetector as AutoencoderOutlierDetector
    from skae.exceptions import InvalidFileError as InvalidFileError

# Tests and documentation discover estimators here, which are what has `fit`.
__all__ = sorted(MODULES)


def __getattr__(name):
    # Imported when it is first asked for: inference without PyTorch must not wait.
    if name in SUBMODULES:
        return imported(f"skae.{name}")
    if name not in MODULES:
        raise AttributeError(f"module 'skae' has no attribute {name!r}")
    value = getattr(imported(MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__():
    return [*__all__, *SUBMODULES, "__version__"]
